// A pattern and, behind a line "----", what replaces it (nothing: a group), run over two graphs as a pass.
#include "two_graphs.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lmc;
  const std::string_view input = fuzz::text(data, size);
  const size_t cut = input.find("\n----\n");
  FusionBuilder builder("fuzz", "from a fuzzer");
  builder.match(std::string(input.substr(0, cut)));
  if (cut == std::string_view::npos) {
    builder.group("pair");
  } else {
    builder.rewrite(std::string(input.substr(cut + 6)));
  }
  fuzz::run_on_two_graphs(builder.spec());
  return 0;
}
