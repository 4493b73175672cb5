// lmc opt: passes over a graph in text form.
#include <fmt/format.h>

#include "ir/extract.h"
#include "ir/graph_algorithms.h"
#include "ir/text.h"
#include "ir/view.h"
#include "tools/cli/command.h"
#include "tools/cli/console.h"
#include "tools/cli/text_io.h"
#include "tools/graphs/picture/picture.h"
#include "tools/pipeline/model_flags.h"
#include "tools/system/files.h"

namespace lmc::opt_command {
namespace {

struct Options {
  std::string input, output, weights, scope = "all";
  bool dot = false, svg = false;
  PassFlags passes;
};

std::string result_text(const Options& o, const Graph& g) {
  if (o.svg) return svg_text(g, picture_of(g, ops_in_view(g, o.scope)));
  if (o.dot) return to_dot(o.scope == "all" ? g.clone() : extract(g, ops_in_view(g, o.scope)).graph);
  return view_text(g, o.scope);
}

void run(const Options& o) {
  if (o.dot && o.svg) throw UsageError("--dot and --svg are two formats; one at a time");
  PassOptions passes = o.passes.options();  // first: a plugin may bring an op that the graph uses
  Graph g = parse_graph(read_input(o.input), o.input);
  const std::unique_ptr<WeightSource> weights = checkpoint_weights(o.weights, passes);
  run_and_report(g, passes, o.passes, false);
  const std::string text = result_text(o, g);
  if (!o.output.empty()) return write_file(o.output, text);
  write_stdout(text);
}

const RegisterCommand kOpt(
    {"opt", "run passes over a graph in text form (.lmir)", [](Flags& flags) {
       auto o = std::make_shared<Options>();
       flags.option("input", o->input, "the graph").type_name("FILE").required();
       flags.option("-o,--output", o->output, "where to write the result (default: standard output)")
           .type_name("FILE");
       flags.option("--weights", o->weights, "a Hugging Face folder, for --check (default: seeded numbers)")
           .type_name("FILE");
       flags.flag("--dot", o->dot, "write Graphviz instead of IR");
       flags.flag("--svg", o->svg, "write a picture (SVG) instead of IR");
       flags
           .option("--scope", o->scope,
                   "which part to write: all, collapsed, layer:N, or a scope such as layers.0.ffn")
           .shows_default();
       o->passes.add_to(flags);
       return [o] { run(*o); };
     }});

}  // namespace
}  // namespace lmc::opt_command
