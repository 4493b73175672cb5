// .lmpass files: what is accepted says the same again as text, and runs over two graphs.
#include "passes/pattern/lmpass.h"
#include "two_graphs.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lmc;
  std::vector<FusionSpec> specs;
  try {
    specs = parse_lmpass(fuzz::text(data, size), "fuzz.lmpass");
  } catch (const Error&) {
    return 0;
  }
  for (const FusionSpec& spec : specs) {
    const std::string text = lmpass_text(spec);
    fuzz::require(lmpass_text(parse_lmpass(text, "again.lmpass").at(0)) == text,
                  "the text does not round-trip");
    fuzz::run_on_two_graphs(spec);
  }
  return 0;
}
