// What the models look up in an image: tokens they may produce, the unknown token, the tokens of single
// bytes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "models/tokenizer/image.h"
#include "models/tokenizer/json_fields.h"

namespace lmc::tokenizer {

inline constexpr int32_t kNoId = -1;

// The id of a text that the model may produce, or kNoId.
int32_t model_id(const Image& image, std::string_view text);

// The id of the token that `spec` names as "unk_token", or kNoId if it names none.
int32_t unknown_id(const Image& image, const Fields& spec);

// <0x00> to <0xFF>, which stand for bytes where a character is no token.
class ByteTokens {
 public:
  explicit ByteTokens(const Image& image);
  // Appends a token per byte; false, and nothing is appended, if one of them is missing.
  bool append(std::string_view text, std::vector<int32_t>& ids) const;
  int32_t id(uint8_t byte) const { return ids_[byte]; }

 private:
  std::array<int32_t, 256> ids_;
};

// "<0x0A>" to its byte.
std::optional<uint8_t> byte_of_token(std::string_view token);

}  // namespace lmc::tokenizer
