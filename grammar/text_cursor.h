// Reading a text character by character, with the place for messages.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ir/error.h"

namespace lmc::grammar {

// How often something comes: {least,most}.
struct Turns {
  int32_t least = 0, most = -1;  // -1: without an end
};

class TextCursor {
 public:
  // `name` is what the text is called in messages. Both must outlive it.
  TextCursor(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  bool at_end() const { return at_ == text_.size(); }
  // The byte `ahead` of here; 0 at the end.
  char peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  char take() { return text_[at_++]; }
  bool skip(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  size_t position() const { return at_; }
  void go_back(size_t position) { at_ = position; }
  std::string_view from(size_t position) const { return text_.substr(position, at_ - position); }
  // A character of UTF-8. Error if it is none.
  uint32_t take_character();
  // Exactly `digits` hexadecimal digits. Error for anything else.
  uint32_t take_hex(int digits);
  // Decimal digits; nothing if there are none. Error for a number beyond `most`.
  std::optional<int32_t> take_number(int32_t most);
  // *, +, ?, {n}, {n,} or {m,n} with blanks within the braces as `blank` takes them; nothing for anything
  // else. Error for other braces, saying how they are written, and for a number beyond `most`.
  template <class Blank>
  std::optional<Turns> take_turns(int32_t most, const char* braces, const Blank& blank) {
    if (skip("*")) return Turns{0, -1};
    if (skip("+")) return Turns{1, -1};
    if (skip("?")) return Turns{0, 1};
    const size_t begin = position();
    if (!skip("{")) return std::nullopt;
    blank();
    const auto least = take_number(most);
    if (!least) refuse_at(begin, braces);
    Turns out{*least, *least};
    blank();
    if (skip(",")) {
      blank();
      out.most = take_number(most).value_or(-1);
      blank();
    }
    if (!skip("}")) refuse_at(begin, braces);
    if (out.most != -1 && out.most < out.least) refuse_at(begin, "the most turns are fewer than the least");
    return out;
  }
  [[noreturn]] void refuse(const std::string& why) const { refuse_at(at_, why); }
  [[noreturn]] void refuse_at(size_t position, const std::string& why) const;

 private:
  std::string_view text_;
  const std::string& name_;
  size_t at_ = 0;
};

}  // namespace lmc::grammar
