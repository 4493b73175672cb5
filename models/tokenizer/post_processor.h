// The "post_processor" of a tokenizer.json: puts special tokens around the ids of a text.
#pragma once

#include <cstdint>
#include <vector>

#include "models/tokenizer/json_fields.h"

namespace lmc::tokenizer {

// Templates, each applied to what the one before made. kText stands where the ids of the text go.
struct PostProcessor {
  static constexpr int32_t kText = -1;
  std::vector<std::vector<int32_t>> templates;

  std::vector<int32_t> apply(std::vector<int32_t> ids) const;
};

// Throws lmc::Error for a type that is not supported or an id that is not below `ids`.
PostProcessor make_post_processor(const Fields& spec, int32_t ids);

}  // namespace lmc::tokenizer
