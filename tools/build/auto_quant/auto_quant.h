// --quant auto: a format for each projection, measured, within a budget for what the predictions may lose.
#pragma once

#include <string>

#include "models/load/model.h"
#include "passes/engine/manager.h"
#include "tools/build/auto_quant/input_importance.h"
#include "tools/cli/flags.h"
#include "tools/pipeline/model_flags.h"

namespace lmc {

class AutoQuantFlags {
 public:
  void add_to(Flags& flags);
  // UsageError where --budget stands without --quant auto.
  void check(bool automatic) const;

  bool calibrates() const { return !text_.empty(); }
  // With --calibrate what the text tells of the inputs of projections; without, nothing.
  InputImportance importance(const Model& model, const ModelFlags& flags, const PassOptions& passes,
                             const std::string& target, const std::string& tokenizer, int threads) const;

  // The rules for `--quant` that make decoding read the fewest bytes while the mean KL divergence from the
  // model without quantisation stays within the budget: Q4_K and Q8_0, or, where Q8_0 alone is beyond the
  // budget, Q8_0 and what the checkpoint has. Where the budget is one of bytes, those of any format whose
  // divergence is least (byte_choice.h). `tokenizer` for the text of --calibrate, "" if there is none.
  std::string choose(const Model& model, const ModelFlags& flags, const PassOptions& passes,
                     const std::string& target, const std::string& tokenizer, int threads,
                     const InputImportance& importance) const;

 private:
  std::string budget_, text_;
};

}  // namespace lmc
