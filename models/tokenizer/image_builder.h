// From a tokenizer.json to the image that is used and stored.
#pragma once

#include <string>

#include "models/tokenizer/json_source.h"

namespace lmc::tokenizer {

// Throws lmc::Error naming `file` and what is wrong with it.
std::string build_image(const JsonSource& source, const std::string& file);

}  // namespace lmc::tokenizer
