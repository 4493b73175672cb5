// The two tables of the byte alphabet.
#include "models/tokenizer/byte_alphabet.h"

#include <array>

#include "models/text/utf8.h"

namespace lmc::tokenizer {
namespace {

struct Alphabet {
  std::array<std::string, 256> of_byte;
  std::array<int, 0x180> byte_of;  // -1: not of the alphabet

  Alphabet() {
    byte_of.fill(-1);
    char32_t next = 0x100;
    for (int byte = 0; byte < 256; ++byte) {
      const bool printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte != 173);
      const char32_t code = printable ? static_cast<char32_t>(byte) : next++;
      append_utf8(of_byte[byte], code);
      byte_of[code] = byte;
    }
  }
};

const Alphabet& alphabet() {
  static const Alphabet table;
  return table;
}

}  // namespace

std::string to_byte_alphabet(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 4);
  const Alphabet& table = alphabet();
  for (const char byte : bytes) out += table.of_byte[static_cast<uint8_t>(byte)];
  return out;
}

std::optional<std::string> from_byte_alphabet(std::string_view text) {
  std::string out;
  const Alphabet& table = alphabet();
  for (size_t i = 0; i < text.size();) {
    const Utf8Char c = first_char(text.substr(i));
    if (c.code >= table.byte_of.size() || table.byte_of[c.code] < 0) return std::nullopt;
    out += static_cast<char>(table.byte_of[c.code]);
    i += c.length;
  }
  return out;
}

}  // namespace lmc::tokenizer
