// Reads a tokenizer.json. The large tables, vocab and merges, are taken as they stream by; everything else is
// an ordinary JSON value.
#pragma once

#include <string>
#include <string_view>

#include "models/tokenizer/source.h"

namespace lmc::tokenizer {

// Throws lmc::Error naming `file`, with line and column where it is not JSON.
Source parse_json_source(std::string_view json, const std::string& file);

}  // namespace lmc::tokenizer
