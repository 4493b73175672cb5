// lmc bisect: the first pass, and the first application of it, after which a check fails.
#include "passes/debug/bisect.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ir/text.h"
#include "models/checkpoint/path_kind.h"
#include "tools/cli/command.h"
#include "tools/cli/console.h"
#include "tools/graphs/diff_report.h"
#include "tools/graphs/graph_command.h"
#include "tools/graphs/kernel_test.h"
#include "tools/pipeline/model_flags.h"
#include "tools/system/files.h"

namespace lmc::bisect_command {
namespace {

struct Options {
  std::string input, command, prefix = "bisect";
  ModelFlags model;
  PassFlags passes;
  bool kernels = false;
  bool json = false;
};

// The graph to start from, and where its weights are.
struct Source {
  Graph graph;
  std::unique_ptr<WeightSource> weights;
};

Source load(const Options& o, PassOptions& passes) {
  if (path_kind(o.input) == PathKind::graph) {
    Source out{parse_graph(read_input(o.input), o.input), nullptr};
    out.weights = checkpoint_weights(o.model.options.weights, passes);
    return out;
  }
  Model m = load_model(o.input, o.model.options);
  o.model.apply(passes, m);
  return {std::move(m.graph), std::move(m.weights)};
}

// What to type to see it again: each line with what it shows.
std::vector<std::pair<std::string, std::string>> replays(const Options& o, const PassOptions& passes,
                                                         const BisectResult& r) {
  std::vector<std::pair<std::string, std::string>> out;
  PassOptions p = passes;
  p.check = o.command.empty() && !o.kernels;
  if (!r.settings.empty()) p.settings[r.pass] = r.settings;
  std::string tail;
  if (!o.command.empty()) tail = " -o result.lmir && " + o.command + " result.lmir";
  if (o.kernels) tail = " -o result.lmir  # lmc reduce result.lmir --kernels";
  const auto line = [&](const std::string& graph, int64_t limit, const std::string& what) {
    out.emplace_back(replay_command(graph, {r.pass}, p, limit) + tail, what);
  };
  const std::string start = o.prefix + ".start.lmir";
  if (r.application == 0) {
    line(start, INT64_MAX, "fails");
    return out;
  }
  line(start, r.application, "fails");
  line(start, r.application - 1, "is good");
  if (r.alone) line(o.prefix + ".before.lmir", 1, "fails: that application alone");
  return out;
}

std::string title(const BisectResult& r) {
  std::string out = fmt::format("pass {} ({} of {}{})", r.pass, r.pass_number, r.passes,
                                r.step.empty() ? "" : ", lowering the step " + r.step);
  if (r.application == 0) return out + ", as a whole";
  out += fmt::format(", application {}", r.application);
  return r.applications == 0 ? out : out + fmt::format(" of {}", r.applications);
}

void write_files(const Options& o, const BisectResult& r) {
  const auto write = [&](const std::string& which, const std::string& what, const std::string& text) {
    write_file(o.prefix + "." + which + ".lmir", fmt::format("// {} {}\n{}", what, title(r), text));
  };
  write("start", "before any application of", r.start);
  write("before", "just before", r.before);
  if (!r.after.empty()) write("after", "just after", r.after);
}

void report(const Options& o, const PassOptions& passes, const BisectResult& r) {
  const Graph before = parse_graph(r.before);
  const Graph after = r.after.empty() ? Graph() : parse_graph(r.after);
  if (o.json) {
    nlohmann::ordered_json j{{"pass", r.pass},
                             {"step", r.step},
                             {"pass_number", r.pass_number},
                             {"passes", r.passes},
                             {"application", r.application},
                             {"applications", r.applications},
                             {"wrong", r.wrong},
                             {"checks", r.checks}};
    if (!r.after.empty()) j["changed"] = DiffReport(before, after).json();
    for (const auto& [command, what] : replays(o, passes, r)) j["replay"].push_back(command);
    fmt::print("{}\n", j.dump(2));
    return;
  }
  fmt::print("first bad: {}\n  {}\n", title(r), r.wrong);
  if (r.application > 0)
    fmt::print("verified: good with {} applications, bad with {}\n", r.application - 1, r.application);
  if (!r.after.empty()) fmt::print("what it changed:\n{}", DiffReport(before, after).text(false));
  fmt::print("replay:\n");
  for (const auto& [command, what] : replays(o, passes, r)) fmt::print("  {}  # {}\n", command, what);
}

void run(const Options& o) {
  PassOptions passes = o.passes.options();
  const Source source = load(o, passes);
  GraphTest test;
  std::optional<GraphCommand> command;
  if (!o.command.empty()) {
    command.emplace(o.command);
    test = [&](const Graph& g) -> std::string {
      const int code = command->run(g);
      if (code == GraphCommand::kUntestable)
        throw Error("--run " + o.command + ": cannot test this graph (exit code 125)");
      return code == 0 ? "" : fmt::format("{} exits with {}", o.command, code);
    };
  }
  if (o.kernels) test = wrong_kernel;
  const BisectResult r = bisect(source.graph, passes, test, [](const std::string& line) {
    stop_if_interrupted();
    info("  {}", line);
  });
  write_files(o, r);
  report(o, passes, r);
}

const RegisterCommand kBisect(
    {"bisect", "find the first pass, and the first application of it, that breaks a check", [](Flags& flags) {
       auto o = std::make_shared<Options>();
       flags.option("input", o->input, "a model file (.yaml), a Hugging Face folder or a graph (.lmir)")
           .type_name("MODEL")
           .required();
       flags.option(
           "--run", o->command,
           "judge by this command instead of the numeric gate: it gets a .lmir file and exits with 0 "
           "for good, 1 to 124 for bad");
       flags
           .flag("--kernels", o->kernels,
                 "judge by the kernels: each must compute what its group means (lmc verify)")
           .excludes("--run");
       flags.option("-o,--output", o->prefix, "how the files it leaves begin").shows_default();
       flags.flag("--json", o->json, "print one JSON object");
       o->model.add_to(flags);
       o->passes.add_to(flags);
       return [o] { run(*o); };
     }});

}  // namespace
}  // namespace lmc::bisect_command
