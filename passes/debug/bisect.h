// Which pass, and which single application of it, is the first after which a check does not hold any more?
#pragma once

#include <functional>
#include <map>
#include <string>

#include "passes/engine/manager.h"

namespace lmc {

// A check of one's own: "" if the graph is good, else what is wrong with it.
using GraphTest = std::function<std::string(const Graph& g)>;

struct BisectResult {
  std::string pass;
  std::string step;                             // of a pass that lowers a step: "decode" or "prefill"
  std::map<std::string, std::string> settings;  // of the pass, those of the step among them
  int64_t pass_number = 0;                      // of the passes of the pipeline, from 1
  int64_t passes = 0;                           // that the pipeline has
  int64_t application = 0;                      // of that pass, from 1; 0: the pass fails whatever its limit
  int64_t applications = 0;                     // that the pass makes in all; 0 if it does not get to the end
  std::string wrong;                            // what the check says after that application
  std::string start;                            // IR before the pass
  std::string before;                           // … with all its applications before the one that was found
  std::string after;                            // … and with that one; "" if the pass throws
  int64_t checks = 0;                           // how many graphs were checked
  // The application fails alone too: `before` with --pass-limit=1.
  bool alone = false;
};

// Looks at the passes that `options` chooses and, where it names none and there is no `test`, at those that
// lower the model behind them, for the step of one token and for blocks (if it is the model of a step: tokens
// in, rows of logits out). Searches by halves. Good means: `test` says so if there is one, else the numeric
// gate between the graph before and after (rounding for exact passes, options.budget for the others). A pass
// that throws, leaves the graph unsound or lies is found as well. `progress` hears one line per check. Error
// if everything is good, or if `test` already refuses the graph as it is imported.
BisectResult bisect(const Graph& imported, const PassOptions& options, const GraphTest& test,
                    const std::function<void(const std::string&)>& progress);

}  // namespace lmc
