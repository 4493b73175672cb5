// How SentencePiece writes a space in its pieces.
#pragma once

#include <string_view>

namespace lmc::tokenizer {

constexpr std::string_view kMark = "\xE2\x96\x81";  // U+2581

}  // namespace lmc::tokenizer
