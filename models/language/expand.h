// Definition + configuration + tensors → Graph.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "models/language/definition.h"

namespace lmc {

constexpr int64_t kMaxLayers = 4096;
constexpr int64_t kMaxStack = 4096;  // tensors that one rule stacks into one
constexpr int64_t kMaxTensors = 1 << 17;
constexpr int64_t kMaxOps = 1 << 18;

// The checkpoint as expansion sees it: the full name and stored type of a tensor, or nothing.
using TensorTypes = std::function<std::optional<Type>(const std::string& full_name)>;

struct Expanded {
  Graph graph;
  int64_t layers = 0, context = 0, vocab = 0;
  std::map<std::string, std::string> used;  // full tensor name → name in the model file
};

// `config` holds config: and let: values. With `made_dtype` set, tensors are not looked up but made of that
// type (random weights, or none). Throws Error with line and column of the model file, naming tensor and
// shapes.
Expanded expand(const Definition& d, const ConfigMap& config, const TensorTypes& tensors,
                std::optional<DType> made_dtype, int64_t context);

}  // namespace lmc
