// What measuring a choice of formats needs: the model compiled by rules for `--quant`, and how such rules are
// written.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/load/model.h"
#include "passes/engine/manager.h"
#include "tools/build/auto_quant/packed_model.h"
#include "tools/pipeline/model_flags.h"

namespace lmc {

class Trials {
 public:
  // `model` and `importance` must outlive it.
  Trials(const Model& model, ModelFlags flags, PassOptions passes, std::string target,
         const SessionOptions& session, const InputImportance& importance);

  const Model& model() const { return model_; }
  PackedModel compiled(const std::string& rules);
  // Of each matrix that Q8_0 would be used for its tensors, as `q8` (compiled so) has them.
  static std::vector<std::vector<std::string>> quantised(const PackedModel& q8);

 private:
  const Model& model_;
  ModelFlags flags_;
  PassOptions passes_;
  std::string target_;
  SessionOptions session_;
  const InputImportance& importance_;
};

// Whatever users want to see or check of their compilation is not of its trials.
PassOptions unwatched(PassOptions passes);

std::string title(const std::optional<DType>& format);  // "q8_0", "none"
// The format for everything, then others for the tensors of some matrices.
struct QuantException {
  std::vector<std::string> tensors;
  std::optional<DType> format;
};
std::string rules_of(const std::optional<DType>& format, const std::vector<QuantException>& others);

}  // namespace lmc
