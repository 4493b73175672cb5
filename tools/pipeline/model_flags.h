// What a model file becomes before any pass: the options about weights and formats that compile and bisect
// share.
#pragma once

#include <memory>
#include <string>

#include "models/load/model.h"
#include "tools/cli/flags.h"
#include "tools/pipeline/pass_flags.h"
#include "tools/pipeline/quant_flags.h"

namespace lmc {

struct ModelFlags {
  ModelOptions options;
  QuantFlags quant;
  std::string kv;

  void add_to(Flags& flags);
  // The settings of the pipeline that follow from these flags and the model, where --set does not say
  // otherwise, and the weights for the numeric gate.
  void apply(PassOptions& passes, const Model& model) const;
};

// Numbers of a Hugging Face folder for the numeric gate over a graph in text form.
std::unique_ptr<WeightSource> checkpoint_weights(const std::string& folder, PassOptions& passes);

}  // namespace lmc
