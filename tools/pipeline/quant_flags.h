// --quant and --quant-min-dim: which projections are quantised, and how.
#pragma once

#include <cstdint>
#include <string>

#include "models/load/model.h"
#include "passes/engine/manager.h"
#include "tools/cli/flags.h"

namespace lmc {

struct QuantFlags {
  std::string format;    // "" = the model file's, and what the checkpoint holds quantised as it is
  int64_t min_dim = -1;  // -1 = the model file's

  void add_to(Flags& flags);
  // The rules in force.
  std::string rules(const Model& model) const { return format.empty() ? model.quant_format : format; }
  bool automatic() const { return format == "auto"; }
  // Settings of the pipeline that follow from these flags and the model, where --set does not say otherwise.
  // `kv`: format of the KV cache, "" to follow the weights'. UsageError if formats are still to be chosen
  // (tools/auto_quant).
  void apply(PassOptions& passes, const Model& model, const std::string& kv = "") const;
};

}  // namespace lmc
