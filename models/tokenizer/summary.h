// What an image holds, in the words of people.
#pragma once

#include "models/tokenizer/image.h"
#include "models/tokenizer/tokenizer.h"

namespace lmc::tokenizer {

// `image` was opened as a Tokenizer before, so its configuration is sound.
TokenizerSummary summarize(const Image& image);

}  // namespace lmc::tokenizer
