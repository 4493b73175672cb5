// A model as GGUF files have it, where their tensors are parts of the checkpoint's, or these turned.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "ir/weight_reader.h"
#include "models/gguf/gguf_blocks.h"
#include "models/load/model.h"

namespace lmc {

// The values of `config:` that the gguf: table gives whatever the file says, put in place of the model's own:
// if the model file then makes the same graph but for what it makes of weights, each tensor it names is what
// the model's graph has in its place.
struct GgufForm {
  ConfigMap config;
  std::map<std::string, ValueId> weights;  // by name in the model file: a value of the model's graph
};

// nullopt where that is another graph.
std::optional<GgufForm> gguf_form(const Model& m);

// The numbers of an expression over a model's weights as the rows of a tensor.
class GgufExpression {
 public:
  // `m` must outlive it. `row`: numbers of a row, where a vector is stored as a matrix; 0: as the type has
  // it.
  GgufExpression(const Model& m, ValueId v, int64_t row);

  // Rows [first, first + rows), encoded.
  void fill(const GgufFormat& format, int64_t first, int64_t rows, std::span<std::byte> out) const;

 private:
  ValueId v_;
  int64_t row_;
  WeightExpressions expressions_;
  WeightReader reader_;
};

}  // namespace lmc
