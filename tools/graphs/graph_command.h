// A user's own test of a graph: a command that gets the path of a .lmir file and answers by its exit code, as
// `git bisect run` has it.
#pragma once

#include <string>

#include "ir/graph.h"
#include "tools/system/child.h"

namespace lmc {

class GraphCommand {
 public:
  explicit GraphCommand(std::string command) : command_(std::move(command)) {}

  // Runs `command FILE` through the shell and returns its exit code: 0 means good, kUntestable neither good
  // nor bad, others bad. Error if it cannot be run (126, 127) or ends by a signal. Its output goes to stderr.
  int run(const Graph& g) const;

  static constexpr int kUntestable = 125;

 private:
  std::string command_;
  TemporaryFolder folder_;
};

}  // namespace lmc
