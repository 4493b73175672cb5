#include "ir/printable.h"

#include <array>
#include <cstdio>

namespace lmc {
namespace {

// Bytes at the start of `text` that make one character to escape, or 0.
size_t hidden_length(std::string_view text) {
  const auto at = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  if (at(0) == '\n' || at(0) == '\t') return 0;
  if (at(0) < 0x20 || at(0) == 0x7f) return 1;
  if (at(0) == 0xc2 && at(1) >= 0x80 && at(1) < 0xa0) return 2;
  const bool turns = at(0) == 0xe2 && ((at(1) == 0x80 && at(2) >= 0xaa && at(2) <= 0xae) ||
                                       (at(1) == 0x81 && at(2) >= 0xa6 && at(2) <= 0xa9));
  return turns ? 3 : 0;
}

std::string escaped(std::string_view character) {
  const auto at = [&](size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(character[i])); };
  std::array<char, 8> out = {};
  if (character.size() == 1) {
    std::snprintf(out.data(), out.size(), "\\x%02x", at(0));
  } else {
    const unsigned code = character.size() == 2 ? (at(0) & 0x1f) << 6 | (at(1) & 0x3f)
                                                : (at(0) & 0x0f) << 12 | (at(1) & 0x3f) << 6 | (at(2) & 0x3f);
    std::snprintf(out.data(), out.size(), "\\u%04x", code);
  }
  return out.data();
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const size_t length = hidden_length(text.substr(i));
    if (length == 0) {
      out += text[i++];
    } else {
      out += escaped(text.substr(i, length));
      i += length;
    }
  }
  return out;
}

bool is_printable_name(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' || text[i] == '\t' || hidden_length(text.substr(i)) > 0) return false;
  }
  return true;
}

}  // namespace lmc
