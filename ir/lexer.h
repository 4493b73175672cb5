// Tokens of the text form, with their places. Internal to syntax.cpp.
#pragma once

#include <string>
#include <string_view>

#include "ir/error.h"

namespace lmc::syntax {

enum class Tok { end, name, value, weight, config, integer, real, text, punct };

struct Token {
  Tok kind = Tok::end;
  std::string text;  // without the sigil; the characters of a punctuation
  int64_t integer = 0;
  double real = 0;
  Location loc;
};

// Splits text into tokens one at a time. `//` starts a comment that ends with the line.
class Lexer {
 public:
  Lexer(std::string_view text, std::string file, int first_line)
      : text_(text), file_(std::move(file)), line_(first_line) {
    advance();
  }

  const Token& peek() const { return token_; }
  Token take();
  bool at(std::string_view punct) const { return token_.kind == Tok::punct && token_.text == punct; }
  bool at_name(std::string_view name) const { return token_.kind == Tok::name && token_.text == name; }
  bool accept(std::string_view punct);
  void expect(std::string_view punct, const std::string& where);
  [[noreturn]] void fail(const std::string& expected) const;  // "expected …, found …" at the current token

 private:
  void advance();
  void skip_blank();
  void read_number();
  void read_text();
  char here(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  Location loc() const { return {file_, line_, static_cast<int>(at_ - line_start_) + 1}; }

  std::string_view text_;
  std::string file_;
  int line_;
  size_t at_ = 0;
  size_t line_start_ = 0;
  Token token_;
};

}  // namespace lmc::syntax
