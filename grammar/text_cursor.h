// Reading a text character by character, with the place for messages.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ir/error.h"

namespace lmc::grammar {

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
  [[noreturn]] void refuse(const std::string& why) const { refuse_at(at_, why); }
  [[noreturn]] void refuse_at(size_t position, const std::string& why) const;

 private:
  std::string_view text_;
  const std::string& name_;
  size_t at_ = 0;
};

}  // namespace lmc::grammar
