// IR text: what parses is sound, prints and reads back the same, survives every pass.
#include <cstdio>
#include <cstdlib>

#include "fuzz.h"
#include "ir/error.h"
#include "ir/graph_algorithms.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "passes/engine/manager.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lmc;
  std::string_view text = fuzz::text(data, size);
  text =
      text.substr(0, text.find("\n// ---- "));  // what a test of tests/passes expects is no part of its graph
  Graph g;
  try {
    g = parse_graph(text, "fuzz.lmir");
  } catch (const Error&) {
    return 0;
  }
  fuzz::accepted = true;
  const std::string printed = print_graph(g);
  fuzz::require(print_graph(parse_graph(printed)) == printed, "the text does not round-trip");
  fuzz::require(print_graph(g.clone()) == printed, "a clone prints otherwise");
  to_dot(g);
  PassOptions options;
  options.repro_path.clear();
  run_passes(g, options);  // no pass may fail on a sound graph
  const std::string after = print_graph(g);
  fuzz::require(print_graph(parse_graph(after)) == after, "the text after the passes does not round-trip");
  return 0;
}
