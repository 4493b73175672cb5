// What the parsers of expressions and of statements share: a place in the tokens, and how deep they are.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "models/chat/lexer.h"

namespace lmc::chat {

class TokenReader {
 public:
  TokenReader(std::vector<Token> tokens, const std::string& file) : file_(file), tokens_(std::move(tokens)) {}

  const std::string& file() const { return file_; }
  int line() const { return peek().line; }
  const Token& peek(size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  Token next() {
    Token t = peek();
    if (at_ + 1 < tokens_.size()) ++at_;
    return t;
  }
  bool at(Tok kind, const std::string& text, size_t ahead = 0) const {
    return peek(ahead).kind == kind && peek(ahead).text == text;
  }
  bool accept(const std::string& sign) { return accept(Tok::sign, sign); }
  bool accept_word(const std::string& word) { return accept(Tok::name, word); }
  void need(const std::string& sign) {
    if (!accept(sign)) fail("expected '" + sign + "', found " + found());
  }
  // Between the items of a list that `close` ends.
  void need_comma_before(const std::string& close) {
    if (!at(Tok::sign, close)) need(",");
  }
  std::string name(const std::string& what) {
    if (peek().kind != Tok::name) fail("expected " + what + ", found " + found());
    return next().text;
  }
  void need_end(Tok kind, const std::string& text) {
    if (peek().kind != kind) fail("expected '" + text + "', found " + found());
    next();
  }
  std::string found() const {
    if (peek().kind == Tok::end) return "the end of the template";
    return peek().kind == Tok::string ? "a string" : "'" + peek().text + "'";
  }
  [[noreturn]] void fail(const std::string& problem) const { throw Error(Location{file_, line()}, problem); }

  // For as long as it lives, one level of brackets or blocks.
  class Deeper {
   public:
    explicit Deeper(TokenReader& reader) : reader_(reader) {
      if (reader.depth_ == kDeepest) reader.fail("brackets and blocks are nested more than 100 deep");
      ++reader.depth_;
    }
    ~Deeper() { --reader_.depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;

   private:
    TokenReader& reader_;
  };

 private:
  static constexpr int kDeepest = 100;

  bool accept(Tok kind, const std::string& text) {
    if (!at(kind, text)) return false;
    ++at_;
    return true;
  }

  std::string file_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace lmc::chat
