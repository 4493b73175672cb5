// What SentencePiece does to a text before it looks for pieces: rules of a charsmap, spaces trimmed and
// joined, a space in front, spaces as U+2581. What a user defined as a piece is left as it is.
#pragma once

#include "models/tokenizer/normalizer.h"

namespace lmc::tokenizer {

// {"type": "SentencePiece", "precompiled_charsmap": base64 or null, "add_dummy_prefix": flag,
//  "remove_extra_whitespaces": flag, "escape_whitespaces": flag, "treat_whitespace_as_suffix": flag,
//  "user_defined": [texts]}
Normalizer make_sentencepiece_normalizer(const Fields& spec);

}  // namespace lmc::tokenizer
