// GPT-2's alphabet: every byte as one printable character, so that any text is a string of known characters.
// Openai's bytes_to_unicode: printable Latin-1 stands for itself, the other 68 bytes are U+0100 and up in
// order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lmc::tokenizer {

std::string to_byte_alphabet(std::string_view bytes);
// The bytes that `text` (valid UTF-8) stands for; nothing if one of its characters is not of the alphabet.
std::optional<std::string> from_byte_alphabet(std::string_view text);

}  // namespace lmc::tokenizer
