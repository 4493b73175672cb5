// From what a tokenizer file holds to the image that is used and stored.
#pragma once

#include <string>

#include "models/tokenizer/source.h"

namespace lmc::tokenizer {

// Throws lmc::Error naming `file` and what is wrong with it.
std::string build_image(const Source& source, const std::string& file);

}  // namespace lmc::tokenizer
