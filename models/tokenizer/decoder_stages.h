// One decoder stage for each decoder type of Hugging Face that is known here.
#pragma once

#include <memory>
#include <string>

#include "models/tokenizer/decoder.h"
#include "models/tokenizer/regex.h"

namespace lmc::tokenizer {

struct StripOptions {
  std::string content;  // one character
  size_t start = 0;     // at most so many are taken from the start
  size_t stop = 0;      // and from the end
};

std::unique_ptr<DecoderStage> make_byte_level_stage();
std::unique_ptr<DecoderStage> make_byte_fallback_stage();
std::unique_ptr<DecoderStage> make_replace_stage(const Pattern& pattern, const std::string& content);
std::unique_ptr<DecoderStage> make_strip_stage(const StripOptions& options, bool fused);
std::unique_ptr<DecoderStage> make_metaspace_stage(const std::string& mark, bool prepends);
std::unique_ptr<DecoderStage> make_wordpiece_stage(const std::string& mark, bool cleanup);
std::unique_ptr<DecoderStage> make_suffix_stage(
    const std::string& suffix);                    // "BPEDecoder": a suffix ends a word
std::unique_ptr<DecoderStage> make_join_stage();   // tokens with a space between
std::unique_ptr<DecoderStage> make_whole_stage();  // holds everything back and passes it on as one token

}  // namespace lmc::tokenizer
