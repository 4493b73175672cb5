// Added tokens are cut out of the text before anything else sees it.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "models/tokenizer/image.h"

namespace lmc::tokenizer {

class AddedTokenFinder {
 public:
  // One of the image's two lists, which are sorted by the text they match; `image` must outlive this.
  AddedTokenFinder(const Image& image, std::span<const AddedToken> tokens);

  // Calls `sink` from left to right with each stretch of plain text (no id) and each added token found:
  // leftmost, and of several at one place the longest.
  using Sink = std::function<void(std::string_view text, std::optional<int32_t> id)>;
  void carve(std::string_view text, const Sink& sink) const;

 private:
  const AddedToken* longest_at(std::string_view text) const;

  const Image* image_;
  std::span<const AddedToken> tokens_;
  std::array<bool, 256> first_bytes_{};
};

}  // namespace lmc::tokenizer
