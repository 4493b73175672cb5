// Model files, as far as the graph of shapes.
#include "fuzz.h"
#include "ir/error.h"
#include "ir/text.h"
#include "models/load/model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lmc;
  const fuzz::MemoryFile file(fuzz::text(data, size));
  ModelOptions options;
  options.weights = "none";
  Model m;
  try {
    m = load_model(file.path(), options);
  } catch (const Error&) {
    return 0;
  }
  fuzz::accepted = true;
  const std::string text = print_graph(m.graph);
  fuzz::require(print_graph(parse_graph(text)) == text, "the graph does not round-trip");
  return 0;
}
