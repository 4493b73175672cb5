// lmc reduce: a failing graph becomes a small one that fails in the same way.
#include "passes/debug/reduce.h"

#include <fmt/format.h>

#include <chrono>

#include "ir/text.h"
#include "tools/cli/command.h"
#include "tools/cli/console.h"
#include "tools/cli/text_io.h"
#include "tools/graphs/graph_command.h"
#include "tools/graphs/kernel_test.h"
#include "tools/pipeline/pass_flags.h"
#include "tools/system/files.h"

namespace lmc::reduce_command {
namespace {

struct Options {
  std::string input, output, command;
  PassFlags passes;
  bool kernels = false;
  double timeout = 0;  // seconds; 0 = none
};

// One pass, if it fails alone as all together do.
std::string replay_line(const Options& o, const PassOptions& passes, const ReduceResult& r) {
  const std::string graph = o.output.empty() ? "MIN.lmir" : o.output;
  if (!o.command.empty()) return o.command + " " + graph;
  if (o.kernels) return "lmc reduce " + graph + " --kernels";
  std::vector<std::string> names;
  for (const Pass* p : pipeline(passes)) {
    PassOptions alone = passes;
    alone.only = std::vector<std::string>{p->name()};
    if (pass_failure(alone)(r.graph) == r.failure)
      return replay_command(graph, *alone.only, passes, passes.limit);
    names.push_back(p->name());
  }
  return replay_command(graph, names, passes, passes.limit);
}

void run(const Options& o) {
  const auto start = std::chrono::steady_clock::now();
  PassOptions passes = o.passes.options();
  passes.check = true;
  const Graph g = parse_graph(read_input(o.input), o.input);
  ReduceOptions options;
  std::optional<GraphCommand> command;
  if (o.kernels) {
    options.failure = [](const Graph& candidate) -> std::string {
      try {
        return wrong_kernel(candidate).empty() ? "" : "a kernel computes something else than its group";
      } catch (const Error&) {  // cannot be compiled
        return "";
      }
    };
  } else if (o.command.empty()) {
    options.failure = pass_failure(passes);
  } else {
    command.emplace(o.command);
    options.failure = [&](const Graph& candidate) -> std::string {
      const int code = command->run(candidate);
      if (code == 0 || code == GraphCommand::kUntestable) return "";
      return fmt::format("{} exits with {}", o.command, code);
    };
  }
  options.go_on = [&] {
    stop_if_interrupted();
    return o.timeout <= 0 || seconds_since(start) < o.timeout;
  };
  options.progress = [](const std::string& line) { info("  {}", line); };
  const ReduceResult r = reduce(g, options);
  if (!r.finished) info("stopped after {} seconds: it may get smaller still", o.timeout);
  info("{} graphs tried; {}", r.attempts, r.failure);
  const std::string text =
      fmt::format("// {}\n// replay: {}\n{}", r.failure, replay_line(o, passes, r), print_graph(r.graph));
  if (!o.output.empty()) return write_file(o.output, text);
  write_stdout(text);
}

const RegisterCommand kReduce(
    {"reduce", "shrink a graph that fails under a pass to a small one that fails in the same way",
     [](Flags& flags) {
       auto o = std::make_shared<Options>();
       flags.option("input", o->input, "the graph (.lmir), before the passes").type_name("FILE").required();
       flags.option("-o,--output", o->output, "where to write the small graph (default: standard output)")
           .type_name("FILE");
       flags.option(
           "--run", o->command,
           "fail means that this command, given a .lmir file, exits with the code it has for the whole "
           "graph (not 0, not 125); no passes are run");
       flags
           .flag("--kernels", o->kernels,
                 "fail means that a kernel does not compute what its group means; no passes are run")
           .excludes("--run");
       flags.option("--timeout", o->timeout, "end after so many seconds with what there is").not_negative();
       o->passes.add_to(flags);
       return [o] { run(*o); };
     }});

}  // namespace
}  // namespace lmc::reduce_command
