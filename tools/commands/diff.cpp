// lmc diff: what two graphs do differently, whatever their values are called.
#include <fmt/format.h>

#include "ir/text.h"
#include "tools/cli/command.h"
#include "tools/cli/console.h"
#include "tools/graphs/diff_report.h"
#include "tools/measure/profile/report_json.h"
#include "tools/pipeline/pass_files.h"
#include "tools/system/files.h"

namespace lmc::diff_command {
namespace {

struct Options {
  std::string before, after;
  bool json = false;
  PassFiles files;  // for their ops
};

// 1 says "different", so what cannot be compared must say something else.
Graph read_graph(const std::string& path) {
  try {
    return parse_graph(read_input(path), path);
  } catch (const Error& e) {
    throw UsageError(e.what());
  }
}

void run(const Options& o) {
  o.files.load();
  const Graph before = read_graph(o.before);
  const Graph after = read_graph(o.after);
  const DiffReport report(before, after);
  if (o.json) {
    fmt::print("{}\n", dumped(report.json()));
  } else {
    fmt::print("{}", report.text(coloured_output()));
  }
  if (!report.same()) throw ExitCode(1);
}

const RegisterCommand kDiff(
    {"diff", "compare two graphs: what was removed, added and changed, part by part", [](Flags& flags) {
       auto o = std::make_shared<Options>();
       flags.option("before", o->before, "a graph in text form (.lmir)").type_name("FILE").required();
       flags.option("after", o->after, "the graph to compare it with").type_name("FILE").required();
       flags.flag("--json", o->json, "print one JSON object");
       o->files.add_to(flags);
       flags.footer(
           "Names of values and the order of statements make no difference; ops, attributes, types, scopes, "
           "weights and inputs do.\nLayers with the same changes are shown once (× 26).\n"
           "Exit code: 0 the graphs are the same, 1 they differ, 2 they could not be compared.");
       return [o] { run(*o); };
     }});

}  // namespace
}  // namespace lmc::diff_command
