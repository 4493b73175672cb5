// Text and ids for tokenizers that are as they should be: the first byte picks one, the rest is both.
#include <filesystem>

#include "fuzz.h"
#include "ir/error.h"
#include "models/tokenizer/tokenizer.h"

namespace {

using namespace lmc;

// One of each kind of model, with and without bytes to fall back on.
const std::vector<Tokenizer>& tokenizers() {
  static const std::vector<Tokenizer> all = [] {
    std::vector<Tokenizer> out;
    for (const char* file :
         {"golden/gpt2-a/tokenizer.json", "golden/gemma3-b/tokenizer.json", "golden/llama-b/tokenizer.json",
          "tokenizers/added.json", "tokenizers/bpe-bytes.json", "tokenizers/bpe-prefix.json",
          "tokenizers/bpe-suffix.json", "tokenizers/splits.json", "tokenizers/unigram-bytes.json",
          "tokenizers/unigram.json", "tokenizers/wordlevel.json", "tokenizers/wordpiece.json",
          "tokenizers/sp-bpe-bytes.model", "tokenizers/sp-bpe-suffix.model", "tokenizers/sp-bpe.model",
          "tokenizers/sp-unigram-bytes.model", "tokenizers/sp-unigram.model"})
      out.push_back(Tokenizer::open(std::string(LMC_SOURCE_DIR "/tests/data/") + file));
    return out;
  }();
  return all;
}

// Any numbers, most of them of the vocabulary.
std::vector<int32_t> ids_of(fuzz::Bytes bytes, int32_t vocab) {
  std::vector<int32_t> out;
  while (bytes.left() > 0) {
    const auto n = bytes.take<uint16_t>();
    out.push_back(n == 0xFFFF ? bytes.take<int32_t>() : n % vocab);
  }
  return out;
}

void decode(const Tokenizer& t, const std::vector<int32_t>& ids, bool skip_special) {
  StreamDecoder stream(t, skip_special);
  std::string streamed;
  for (const int32_t id : ids) streamed += stream.push(id);
  streamed += stream.flush();
  fuzz::require(streamed == t.decode(ids, skip_special), "streaming decodes otherwise");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Tokenizer& t = tokenizers()[data[0] % tokenizers().size()];
  const std::string_view text = fuzz::text(data + 1, size - 1);
  for (const bool special : {false, true}) {
    decode(t, ids_of({data + 1, size - 1}, t.vocab_size()), special);
    std::vector<int32_t> ids;
    try {
      ids = t.encode(text, special);
    } catch (const Error&) {  // a character without a token, and no unknown token
      continue;
    }
    for (const int32_t id : ids)
      fuzz::require(id >= 0 && id < t.vocab_size(), "an id outside of the vocabulary");
    decode(t, ids, special);
  }
  return 0;
}
