#include "grammar/text_cursor.h"

#include <algorithm>

namespace lmc::grammar {

uint32_t TextCursor::take_character() {
  const auto lead = static_cast<uint8_t>(peek());
  const int more = lead < 0x80   ? 0
                   : lead < 0xc2 ? -1
                   : lead < 0xe0 ? 1
                   : lead < 0xf0 ? 2
                   : lead < 0xf5 ? 3
                                 : -1;
  if (more < 0 || at_end()) refuse("is not valid UTF-8");
  uint32_t out = more == 0 ? lead : lead & (0x3fU >> more);
  for (int i = 1; i <= more; ++i) {
    const auto c = static_cast<uint8_t>(peek(static_cast<size_t>(i)));
    if ((c & 0xc0) != 0x80) refuse("is not valid UTF-8");
    out = out << 6 | (c & 0x3f);
  }
  constexpr uint32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
  if (out < kLeast[more] || out > 0x10ffff || (out >= 0xd800 && out <= 0xdfff)) refuse("is not valid UTF-8");
  at_ += static_cast<size_t>(more) + 1;
  return out;
}

uint32_t TextCursor::take_hex(int digits) {
  uint32_t out = 0;
  for (int i = 0; i < digits; ++i) {
    const char c = peek();
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) refuse("wants " + std::to_string(digits) + " hexadecimal digits here");
    out = out * 16 + static_cast<uint32_t>(digit);
    ++at_;
  }
  return out;
}

std::optional<int32_t> TextCursor::take_number(int32_t most) {
  const size_t begin = at_;
  int64_t out = 0;
  while (peek() >= '0' && peek() <= '9' && !at_end()) {
    out = out * 10 + (take() - '0');
    if (out > most) refuse_at(begin, "a count may be " + std::to_string(most) + " at most");
  }
  return at_ == begin ? std::nullopt : std::optional(static_cast<int32_t>(out));
}

void TextCursor::refuse_at(size_t position, const std::string& why) const {
  const std::string_view before = text_.substr(0, position);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const size_t start = before.rfind('\n');
  const size_t column = position - (start == std::string_view::npos ? 0 : start + 1) + 1;
  throw Error({name_, static_cast<int>(line), static_cast<int>(column)}, why);
}

}  // namespace lmc::grammar
