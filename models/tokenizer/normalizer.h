// The "normalizer" of a tokenizer.json: text to text, before words are looked for.
#pragma once

#include <functional>
#include <string>

#include "models/tokenizer/charsmap.h"
#include "models/tokenizer/json_fields.h"
#include "models/tokenizer/regex.h"

namespace lmc::tokenizer {

using Normalizer = std::function<std::string(std::string)>;

// What a normalizer may make of so many bytes; Unicode's longest expansions are by 18.
constexpr size_t most_normalized(size_t bytes) { return 1024 + 32 * bytes; }

// Throws lmc::Error for a type or an option that is not supported.
Normalizer make_normalizer(const Fields& spec);

// {"pattern": {"String": s}} or {"pattern": {"Regex": r}}; shared by every step that has one.
Pattern make_pattern(const Fields& spec);

// {"precompiled_charsmap": base64}
Charsmap make_charsmap(const Fields& spec);

}  // namespace lmc::tokenizer
