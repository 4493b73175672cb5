// The second half of the pipeline: from the last optimisation to graphs of kernels.
#pragma once

#include <string>
#include <vector>

#include "ir/lowered.h"
#include "passes/engine/manager.h"

namespace lmc {

// What a model is lowered for.
struct LoweringOptions {
  int64_t block = 1;              // most tokens of a step (1 or more)
  std::string target = "native";  // whose layouts the weights get (codegen/target.h)
  bool hidden = false;            // also the step of last hidden states, if the model has such
  bool draft = false;             // also the step that guesses a token from half the bytes of the weights
};

// Runs the lowering passes over `model`: those of the model, then on a graph for each step those of a step.
// Dumps, checks and prints as `options` says, whose choice of passes (only, limit) is for optimisations and
// does not count here; options.after_pass sees the passes of the model and those of the step of one token;
// `reports`, if any, gets what they report. Ops are numbered (Op::source), unless they are, behind the passes
// of the model. Throws as run_passes, and Error if `options` sets what lowering itself tells its passes.
Lowered lower(Graph model, const LoweringOptions& wanted, PassOptions options = {},
              std::vector<PassReport>* reports = nullptr);

// What the passes that lower a step are told: `name` is "decode", the step of one token, "prefill", "hidden"
// or "draft", of one token too.
void set_step(PassOptions& options, const std::string& name, int64_t most_tokens);

}  // namespace lmc
