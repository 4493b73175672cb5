// tokenizer.json and, behind a zero byte, a text: what is accepted encodes, decodes, and is the same
// tokenizer after its binary form.
#include "models/tokenizer/tokenizer.h"

#include "fuzz.h"
#include "ir/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lmc;
  const std::vector<std::string> parts = fuzz::parts(data, size);
  const std::string text =
      parts.size() > 1 ? parts[1] : "Hello w\xc3\xb6rld, 12 <bos>\n\n  it's \xf0\x9f\x98\x80\xff!";
  std::optional<Tokenizer> t;
  try {
    t = Tokenizer::from_json(parts[0], "tokenizer.json");
  } catch (const Error&) {
    return 0;
  }
  fuzz::accepted = true;
  std::optional<Tokenizer> again;
  try {
    again = Tokenizer::from_binary(t->to_binary(), "tokenizer.bin");
  } catch (const Error& e) {
    fuzz::require(false, e.what());
  }
  t->summary();
  for (const bool special : {false, true}) {
    std::vector<int32_t> ids;
    try {
      ids = t->encode(text, special);
    } catch (const Error&) {  // a character without a token, and no unknown token
      continue;
    }
    fuzz::require(again->encode(text, special) == ids, "the binary form encodes otherwise");
    fuzz::require(again->decode(ids, special) == t->decode(ids, special),
                  "the binary form decodes otherwise");
    StreamDecoder stream(*t, special);
    std::string streamed;
    for (int32_t id : ids) streamed += stream.push(id);
    fuzz::require(streamed + stream.flush() == t->decode(ids, special), "streaming decodes otherwise");
  }
  return 0;
}
