// Any bytes as a SentencePiece model: an Error, or a tokenizer that encodes and decodes.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz.h"
#include "ir/error.h"
#include "models/tokenizer/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const auto tokenizer = lmc::Tokenizer::from_sentencepiece({reinterpret_cast<const char*>(data), size},
                                                              "fuzz.model", true, true);
    lmc::fuzz::accepted = true;
    tokenizer.decode(tokenizer.encode("<s> Hello wörld, 123\n\n日本 \xFF", true), false);
  } catch (const lmc::Error&) {
  }
  return 0;
}
