// A grammar in GBNF, and behind a zero byte which of the tokens that it allows are taken.
#include "grammar/gbnf.h"

#include "grammar_walk.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lmc;
  const std::vector<std::string> parts = fuzz::parts(data, size);
  fuzz::walk([&] { return grammar::grammar_of_gbnf(parts[0], "g"); }, parts.size() > 1 ? parts[1] : "");
  return 0;
}
