#include "models/chat/lexer.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace lmc::chat {
namespace {

bool starts_name(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }

class Lexer {
 public:
  Lexer(std::string_view source, const std::string& file) : s_(source), file_(file) {}

  std::vector<Token> run() {
    // Jinja drops one newline at the end of a template.
    if (s_.ends_with('\n')) s_.remove_suffix(1);
    if (s_.ends_with('\r')) s_.remove_suffix(1);
    while (at_ < s_.size()) outside();
    add(Tok::end, "");
    return std::move(out_);
  }

 private:
  // Text up to the next tag, and that tag.
  void outside() {
    size_t tag = at_;
    while (true) {
      tag = s_.find('{', tag);
      if (tag == std::string_view::npos || tag + 1 == s_.size()) {
        tag = s_.size();
        break;
      }
      if (s_[tag + 1] == '{' || s_[tag + 1] == '%' || s_[tag + 1] == '#') break;
      ++tag;
    }
    std::string_view text = s_.substr(at_, tag - at_);
    const char mark = tag + 2 < s_.size() ? s_[tag + 2] : ' ';
    if (tag < s_.size()) {
      if (mark == '-') {
        while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
      } else if (s_[tag + 1] != '{' && mark != '+') {
        text = without_indent(text);
      }
    }
    if (!text.empty()) add(Tok::text, std::string(text));
    count_lines(s_.substr(at_, tag - at_));
    at_ = tag;
    if (at_ == s_.size()) return;
    const char kind = s_[at_ + 1];
    at_ += 2;
    if (at_ < s_.size() && (s_[at_] == '-' || (s_[at_] == '+' && kind != '{'))) ++at_;
    if (kind == '#') {
      comment();
    } else {
      inside(kind);
    }
  }

  // lstrip_blocks: blanks between the start of a line and a block's tag are dropped.
  std::string_view without_indent(std::string_view text) const {
    size_t n = text.size();
    while (n > 0 && is_blank(text[n - 1])) --n;
    const bool line_begins = n == 0 ? line_started_ : text[n - 1] == '\n';
    return line_begins ? text.substr(0, n) : text;
  }

  void comment() {
    const size_t close = s_.find("#}", at_);
    if (close == std::string_view::npos) fail("a comment {# without its #}");
    const bool trims = close > at_ && s_[close - 1] == '-';
    count_lines(s_.substr(at_, close - at_));
    at_ = close + 2;
    after_tag(trims, true);
  }

  // What follows a tag: `-` drops all blanks and newlines, trim_blocks one newline behind a block.
  void after_tag(bool trims, bool block) {
    const size_t before = at_;
    if (trims) {
      while (at_ < s_.size() && std::isspace(static_cast<unsigned char>(s_[at_]))) ++at_;
    } else if (block && s_.substr(at_).starts_with("\r\n")) {
      at_ += 2;
    } else if (block && s_.substr(at_).starts_with("\n")) {
      at_ += 1;
    }
    line_started_ = at_ > before && s_[at_ - 1] == '\n';
    count_lines(s_.substr(before, at_ - before));
  }

  void inside(char kind) {
    const std::string close = kind == '{' ? "}}" : "%}";
    add(kind == '{' ? Tok::print_begin : Tok::block_begin, kind == '{' ? "{{" : "{%");
    const size_t first = out_.size() - 1;
    const int opened = line_;
    std::string open;  // brackets
    while (true) {
      while (at_ < s_.size() && std::isspace(static_cast<unsigned char>(s_[at_]))) {
        if (s_[at_++] == '\n') ++line_;
      }
      if (at_ >= s_.size())
        throw Error(Location{file_, opened},
                    std::string("a tag ") + (kind == '{' ? "{{" : "{%") + " is not closed by " + close);
      const std::string_view rest = s_.substr(at_);
      const bool trims = rest.starts_with("-" + close);
      if (open.empty() && (trims || rest.starts_with(close))) {
        add(kind == '{' ? Tok::print_end : Tok::block_end, close);
        at_ += trims ? 3 : 2;
        const bool is_raw = kind == '%' && out_.size() - first == 3 && out_[first + 1].text == "raw";
        after_tag(trims, kind == '%' && !is_raw);  // Jinja keeps the newline behind {% raw %}
        if (is_raw) raw(first, opened);
        return;
      }
      token(open);
    }
  }

  // Behind {% raw %}, whose tokens are from `first` on: text up to {% endraw %}, whatever it holds.
  void raw(size_t first, int opened) {
    out_.resize(first);
    for (size_t tag = s_.find("{%", at_); tag != std::string_view::npos; tag = s_.find("{%", tag + 2)) {
      std::string_view rest = s_.substr(tag + 2);
      const char mark = rest.empty() ? ' ' : rest[0];
      if (mark == '-' || mark == '+') rest.remove_prefix(1);
      skip_blanks(rest);
      if (!rest.starts_with("endraw")) continue;
      rest.remove_prefix(6);
      skip_blanks(rest);
      const bool trims = rest.starts_with("-");
      if (!rest.substr(trims ? 1 : 0).starts_with("%}")) continue;
      std::string_view text = s_.substr(at_, tag - at_);
      if (mark == '-') {
        while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
      } else if (mark != '+') {
        text = without_indent(text);
      }
      if (!text.empty()) add(Tok::text, std::string(text));
      const auto end = static_cast<size_t>(rest.data() - s_.data()) + (trims ? 3 : 2);
      count_lines(s_.substr(at_, end - at_));
      at_ = end;
      return after_tag(trims, true);
    }
    throw Error(Location{file_, opened}, "'raw' is not closed by 'endraw'");
  }

  static void skip_blanks(std::string_view& text) {
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text[0]))) text.remove_prefix(1);
  }

  void token(std::string& open) {
    const char c = s_[at_];
    const size_t begin = at_;
    if (starts_name(c)) {
      while (at_ < s_.size() && (starts_name(s_[at_]) || is_digit(s_[at_]))) ++at_;
      return add(Tok::name, std::string(s_.substr(begin, at_ - begin)));
    }
    if (is_digit(c)) {
      while (at_ < s_.size() && is_digit(s_[at_])) ++at_;
      bool real = false;
      if (at_ + 1 < s_.size() && s_[at_] == '.' && is_digit(s_[at_ + 1])) {
        real = true;
        ++at_;
        while (at_ < s_.size() && is_digit(s_[at_])) ++at_;
      }
      return add(real ? Tok::real : Tok::whole, std::string(s_.substr(begin, at_ - begin)));
    }
    if (c == '\'' || c == '"') return string(c);
    static constexpr std::array<std::string_view, 25> kSigns = {
        "==", "!=", "<=", ">=", "//", "**", "<", ">", "=", "+", "-", "*", "/",
        "%",  "~",  "|",  ".",  ",",  ":",  "(", ")", "[", "]", "{", "}"};
    for (const std::string_view sign : kSigns) {
      if (!s_.substr(at_).starts_with(sign)) continue;
      if (c == '(' || c == '[' || c == '{') open += c;
      if ((c == ')' || c == ']' || c == '}') && !open.empty()) open.pop_back();
      at_ += sign.size();
      return add(Tok::sign, std::string(sign));
    }
    fail(std::string("unexpected character '") + c + "'");
  }

  void string(char quote) {
    std::string text;
    const int opened = line_;
    for (++at_; at_ < s_.size() && s_[at_] != quote; ++at_) {
      char c = s_[at_];
      if (c == '\n') ++line_;
      if (c == '\\' && at_ + 1 < s_.size()) {
        c = s_[++at_];
        if (c == 'n')
          c = '\n';
        else if (c == 't')
          c = '\t';
        else if (c == 'r')
          c = '\r';
        else if (c != '\\' && c != '\'' && c != '"')
          text += '\\';
      }
      text += c;
    }
    if (at_ >= s_.size()) throw Error(Location{file_, opened}, "a string is not closed");
    ++at_;
    add(Tok::string, text);
  }

  void count_lines(std::string_view text) {
    line_ += static_cast<int>(std::count(text.begin(), text.end(), '\n'));
  }
  void add(Tok kind, std::string text) { out_.push_back({kind, std::move(text), line_}); }
  [[noreturn]] void fail(const std::string& problem) const { throw Error(Location{file_, line_}, problem); }

  std::string_view s_;
  const std::string& file_;
  size_t at_ = 0;
  int line_ = 1;
  bool line_started_ = true;  // does `at_` stand at the start of a line?
  std::vector<Token> out_;
};

}  // namespace

std::vector<Token> tokens_of(std::string_view source, const std::string& file) {
  return Lexer(source, file).run();
}

}  // namespace lmc::chat
