// A model compiled for measuring, whose weights can be rounded one by one.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "models/load/model.h"
#include "passes/engine/manager.h"
#include "tools/build/auto_quant/input_importance.h"
#include "tools/machine/memory_program.h"
#include "tools/pipeline/model_flags.h"

namespace lmc {

class PackedModel {
 public:
  // As `flags` and `passes` would have it compiled, rounded by `importance` of columns. `model` must outlive
  // it. Error where there is not enough memory.
  PackedModel(const Model& model, const ModelFlags& flags, PassOptions passes, const std::string& target,
              const SessionOptions& options, const InputImportance& importance = {});

  Session& session() { return program_.session(); }

  // A weight as it is packed: a projection's, several that are fused, a table.
  struct Matrix {
    size_t weight;                     // in the plan
    std::vector<std::string> tensors;  // of the checkpoint
    Type type;                         // with the format that it is stored in
  };
  std::vector<Matrix> matrices() const;

  // While this lives, a matrix holds its numbers rounded to `format`, a quantised one, in the layout that it
  // has: where that rounds too, it does so once more.
  class Rounding {
   public:
    Rounding(PackedModel& model, const Matrix& matrix, DType format);
    ~Rounding();
    Rounding(const Rounding&) = delete;
    Rounding& operator=(const Rounding&) = delete;

   private:
    std::vector<std::byte>& memory_;
    std::vector<std::byte> before_;
  };

 private:
  PackedModel(const Model& model, CodegenResult code, const SessionOptions& options,
              const InputImportance& importance);

  const WeightSource& source_;
  ColumnImportance importance_;
  MemoryProgram program_;
};

}  // namespace lmc
