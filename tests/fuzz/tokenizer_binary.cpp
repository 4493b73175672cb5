// tokenizer.bin, which is mapped and used in place.
#include "fuzz.h"
#include "ir/error.h"
#include "models/tokenizer/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lmc;
  try {
    const Tokenizer t = Tokenizer::from_binary(std::string(fuzz::text(data, size)), "tokenizer.bin");
    const std::vector<int32_t> ids = t.encode("Hello w\xc3\xb6rld, 12 <bos>\n it's", true);
    t.decode(ids, false);
    t.decode(std::vector<int32_t>{0, 1, 2, 1000, -1}, true);
  } catch (const Error&) {
  }
  return 0;
}
