// Tokens of the text form, with their places: for syntax.cpp and for files that hold such text (.lmpass).
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
  // `at` is where the text's first character stands. The text must outlive the lexer.
  Lexer(std::string_view text, const Location& at);

  const Token& peek() const { return token_; }
  Token take();
  bool at(std::string_view punct) const { return token_.kind == Tok::punct && token_.text == punct; }
  bool at_name(std::string_view name) const { return token_.kind == Tok::name && token_.text == name; }
  bool accept(std::string_view punct);
  void expect(std::string_view punct, const std::string& where);
  // Places in the text: where the next token starts, where the last one taken ended.
  size_t next_start() const { return token_start_; }
  size_t last_end() const { return last_end_; }
  std::string_view slice(size_t start, size_t end) const {
    return end > start ? text_.substr(start, end - start) : "";
  }
  [[noreturn]] void fail(const std::string& expected) const;  // "expected …, found …" at the current token

 private:
  void advance();
  void skip_blank();
  void read_number();
  void read_text();
  char here(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  Location loc() const;

  std::string_view text_;
  FileName file_;
  int line_;
  size_t at_ = 0;
  size_t line_start_ = 0;
  int first_column_ = 1;  // of the line at_ is in
  size_t token_start_ = 0;
  size_t last_end_ = 0;
  Token token_;
};

}  // namespace lmc::syntax
