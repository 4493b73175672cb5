// An answer of POST /completion as it streams: how many tokens came when.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lmc {

class AnswerStream {
 public:
  // `name` stands in messages; an answer of more than `most` tokens is an Error.
  AnswerStream(std::string name, int64_t most) : name_(std::move(name)), most_(most) {}

  // Bytes that came `at` this time, in seconds. Error for what is no stream of such an answer, or is a
  // message that something failed.
  void push(std::string_view bytes, double at);
  // Error for a stream that ended too early.
  void finish() const;

  // Tokens that came at the same time are one piece.
  struct Piece {
    double at = 0;
    int64_t tokens = 0;
  };
  const std::vector<Piece>& pieces() const { return pieces_; }
  int64_t tokens() const { return tokens_; }
  // Of the prompt, that the server had seen before.
  int64_t reused() const { return reused_; }

 private:
  int64_t tokens_in(std::string_view line);

  std::string name_;
  int64_t most_;
  std::string line_;  // begun
  std::vector<Piece> pieces_;
  int64_t tokens_ = 0, reused_ = 0;
  bool ended_ = false;
};

}  // namespace lmc
