// lmc opt: passes over a graph in text form.
#include <fmt/format.h>

#include <fstream>

#include "ir/graph_algorithms.h"
#include "ir/text.h"
#include "tools/command.h"
#include "tools/console.h"
#include "tools/files.h"
#include "tools/pass_flags.h"

namespace lmc {
namespace {

struct Options {
  std::string input, output;
  bool dot = false;
  PassFlags passes;
};

void run(const Options& o) {
  Graph g = parse_graph(read_file(o.input), o.input);
  report_passes(run_passes(g, o.passes.options()), o.passes.explain, o.passes.check);
  const std::string text = o.dot ? to_dot(g) : print_graph(g);
  if (!o.output.empty()) return write_file(o.output, text);
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size())
    throw Error("cannot write to standard output");
}

const RegisterCommand kOpt({"opt", "run passes over a graph in text form (.lmir)", [](CLI::App& app) {
                              auto o = std::make_shared<Options>();
                              app.add_option("input", o->input, "the graph")->required();
                              app.add_option("-o,--output", o->output,
                                             "where to write the result (default: standard output)");
                              app.add_flag("--dot", o->dot, "write Graphviz instead of IR");
                              o->passes.add_to(app);
                              return [o] { run(*o); };
                            }});

}  // namespace
}  // namespace lmc
