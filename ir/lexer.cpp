#include "ir/lexer.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "ir/syntax.h"

namespace lmc::syntax {
namespace {

bool starts_name(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool in_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.'; }
// Weights are called as checkpoints call them.
bool in_weight(char c) { return in_name(c) || c == '/' || c == '-' || c == ':'; }

std::string shown(const Token& t) {
  switch (t.kind) {
    case Tok::end:
      return "the end of the text";
    case Tok::value:
      return "'%" + t.text + "'";
    case Tok::weight:
      return "'@" + t.text + "'";
    case Tok::config:
      return "'$" + t.text + "'";
    case Tok::text:
      return "\"" + t.text + "\"";
    default:
      return "'" + t.text + "'";
  }
}

}  // namespace

bool is_weight_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), in_weight);
}

bool is_value_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), in_name);
}

bool is_scope_name(std::string_view name) {
  return !name.empty() && starts_name(name[0]) && std::all_of(name.begin(), name.end(), in_name);
}

Lexer::Lexer(std::string_view text, const Location& at)
    : text_(text), file_(at.file), line_(std::max(at.line, 1)), first_column_(std::max(at.column, 1)) {
  advance();
}

Location Lexer::loc() const { return {file_, line_, static_cast<int>(at_ - line_start_) + first_column_}; }

Token Lexer::take() {
  Token t = std::move(token_);
  advance();
  return t;
}

bool Lexer::accept(std::string_view punct) {
  if (!at(punct)) return false;
  advance();
  return true;
}

void Lexer::expect(std::string_view punct, const std::string& where) {
  if (!accept(punct)) fail("'" + std::string(punct) + "' " + where);
}

void Lexer::fail(const std::string& expected) const {
  throw Error(token_.loc, "expected " + expected + ", found " + shown(token_));
}

void Lexer::skip_blank() {
  for (;;) {
    const char c = here();
    if (c == '\n') {
      ++at_;
      ++line_;
      line_start_ = at_;
      first_column_ = 1;
    } else if (c == ' ' || c == '\t' || c == '\r') {
      ++at_;
    } else if (c == '/' && here(1) == '/') {
      while (at_ < text_.size() && text_[at_] != '\n') ++at_;
    } else {
      return;
    }
  }
}

void Lexer::advance() {
  last_end_ = at_;
  skip_blank();
  token_start_ = at_;
  token_ = Token{};
  token_.loc = loc();
  if (at_ >= text_.size()) return;

  const char c = here();
  const size_t start = at_;
  if (c == '%' && (in_name(here(1)))) {
    token_.kind = Tok::value;
    for (++at_; in_name(here());) ++at_;
    token_.text = text_.substr(start + 1, at_ - start - 1);
  } else if (c == '@' && in_weight(here(1))) {
    token_.kind = Tok::weight;
    for (++at_; in_weight(here());) ++at_;
    token_.text = text_.substr(start + 1, at_ - start - 1);
  } else if (c == '$' && starts_name(here(1))) {
    token_.kind = Tok::config;
    for (++at_; in_name(here());) ++at_;
    token_.text = text_.substr(start + 1, at_ - start - 1);
  } else if (starts_name(c)) {
    token_.kind = Tok::name;
    while (in_name(here())) ++at_;
    token_.text = text_.substr(start, at_ - start);
  } else if (std::isdigit(static_cast<unsigned char>(c)) ||
             (c == '.' && std::isdigit(static_cast<unsigned char>(here(1))))) {
    read_number();
  } else if (c == '"') {
    read_text();
  } else {
    static constexpr std::string_view two[] = {"==", "!=", "<=", ">=", "&&", "||"};
    token_.kind = Tok::punct;
    token_.text = c;
    for (std::string_view p : two) {
      if (text_.substr(at_, 2) == p) token_.text = p;
    }
    static constexpr std::string_view known = "(){}[],:=+-*/%<>!|&?;";
    if (static_cast<unsigned char>(c) < 0x20 || known.find(c) == std::string_view::npos) {
      throw Error(token_.loc,
                  "unexpected character " + (std::isprint(static_cast<unsigned char>(c))
                                                 ? "'" + std::string(1, c) + "'"
                                                 : "code " + std::to_string(static_cast<unsigned char>(c))));
    }
    at_ += token_.text.size();
  }
}

void Lexer::read_number() {
  const size_t start = at_;
  bool real = false;
  while (std::isdigit(static_cast<unsigned char>(here()))) ++at_;
  if (here() == '.' && std::isdigit(static_cast<unsigned char>(here(1)))) {
    real = true;
    for (++at_; std::isdigit(static_cast<unsigned char>(here()));) ++at_;
  }
  if (here() == 'e' || here() == 'E') {
    size_t ahead = (here(1) == '+' || here(1) == '-') ? 2 : 1;
    if (std::isdigit(static_cast<unsigned char>(here(ahead)))) {
      real = true;
      for (at_ += ahead; std::isdigit(static_cast<unsigned char>(here()));) ++at_;
    }
  }
  token_.text = text_.substr(start, at_ - start);
  const char* first = token_.text.data();
  const char* last = first + token_.text.size();
  std::errc error{};
  if (real) {
    token_.kind = Tok::real;
    error = std::from_chars(first, last, token_.real).ec;
  } else {
    token_.kind = Tok::integer;
    error = std::from_chars(first, last, token_.integer).ec;
  }
  if (error != std::errc()) throw Error(token_.loc, "number " + token_.text + " is out of range");
}

void Lexer::read_text() {
  token_.kind = Tok::text;
  ++at_;
  while (here() != '"') {
    if (at_ >= text_.size() || here() == '\n') throw Error(token_.loc, "text is not closed by \"");
    if (here() == '\\') {
      ++at_;
      token_.text += here() == 'n' ? '\n' : here();
    } else {
      token_.text += here();
    }
    ++at_;
  }
  ++at_;
}

}  // namespace lmc::syntax
