// Look-ups shared by the models.
#include "models/tokenizer/model_tokens.h"

#include <algorithm>
#include <string>

namespace lmc::tokenizer {

int32_t model_id(const Image& image, std::string_view text) {
  const auto id = image.find(text);
  return id && (image.flags(*id) & kInModel) ? *id : kNoId;
}

int32_t unknown_id(const Image& image, const Fields& spec) {
  if (!spec.has("unk_token")) return kNoId;
  const std::string unknown = spec.text("unk_token");
  const auto id = image.find(unknown);
  if (!id) spec.fail("unk_token '" + unknown + "' is not in the vocabulary");
  return *id;
}

ByteTokens::ByteTokens(const Image& image) {
  constexpr const char* kHex = "0123456789ABCDEF";
  for (size_t byte = 0; byte < 256; ++byte) {
    const auto id = image.find(std::string("<0x") + kHex[byte >> 4] + kHex[byte & 15] + ">");
    ids_[byte] = id && (image.flags(*id) & (kInModel | kByte)) ? *id : kNoId;
  }
}

bool ByteTokens::append(std::string_view text, std::vector<int32_t>& ids) const {
  const auto id_of = [&](char byte) { return ids_[static_cast<uint8_t>(byte)]; };
  if (std::any_of(text.begin(), text.end(), [&](char byte) { return id_of(byte) == kNoId; })) return false;
  for (const char byte : text) ids.push_back(id_of(byte));
  return true;
}

std::optional<uint8_t> byte_of_token(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
  int value = 0;
  for (const char c : token.substr(3, 2)) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                             : -1;
    if (digit < 0) return std::nullopt;
    value = value * 16 + digit;
  }
  return static_cast<uint8_t>(value);
}

}  // namespace lmc::tokenizer
