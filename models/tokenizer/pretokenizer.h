// The "pre_tokenizer" of a tokenizer.json: cuts a normalized text into the words that BPE works on.
#pragma once

#include <functional>

#include "models/tokenizer/json_fields.h"
#include "models/tokenizer/pieces.h"

namespace lmc::tokenizer {

using PreTokenizer = std::function<void(Pieces&)>;

// Throws lmc::Error for a type or an option that is not supported.
PreTokenizer make_pretokenizer(const Fields& spec);

// Metaspace's options, which its decoder has too. In older files add_prefix_space stands for the scheme.
struct MetaspaceOptions {
  std::string replacement;
  std::string prepend_scheme;  // "always", "first" or "never"
};
MetaspaceOptions read_metaspace(const Fields& spec);

}  // namespace lmc::tokenizer
