// Bytes as JSON can hold them (RFC 4648).
#pragma once

#include <string>
#include <string_view>

namespace lmc::tokenizer {

std::string encode_base64(std::string_view bytes);
std::string decode_base64(std::string_view text);  // Error for what is not base64

}  // namespace lmc::tokenizer
