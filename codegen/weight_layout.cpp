#include "codegen/weight_layout.h"

#include <map>

#include "ir/error.h"

namespace lmc {
namespace {

std::map<std::string, const WeightLayout*>& layouts() {
  static std::map<std::string, const WeightLayout*> all;
  return all;
}

}  // namespace

RegisterWeightLayout::RegisterWeightLayout(const WeightLayout& layout) { layouts()[layout.name()] = &layout; }

const WeightLayout* find_weight_layout(const std::string& name) {
  const auto it = layouts().find(name);
  return it == layouts().end() ? nullptr : it->second;
}

const WeightLayout& weight_layout(DType dtype) {
  for (const auto& [name, layout] : layouts()) {
    if (layout->dtype() == dtype) return *layout;
  }
  throw Error("there is no layout for weights of " + std::string(dtype_name(dtype)));
}

}  // namespace lmc
