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

const WeightLayout& widest_layout(DType dtype, int64_t most_rows, WeightLayout::Kind kind) {
  const WeightLayout* best = nullptr;
  for (const auto& [name, layout] : layouts()) {
    if (layout->dtype() != dtype || layout->kind() != kind || layout->group_rows() > most_rows) continue;
    if (!best || layout->group_rows() > best->group_rows()) best = layout;
  }
  if (!best) {
    throw Error("there is no layout for weights of " + std::string(dtype_name(dtype)) + " in groups of " +
                std::to_string(most_rows) + " rows or fewer");
  }
  return *best;
}

std::vector<const WeightLayout*> all_weight_layouts() {
  std::vector<const WeightLayout*> out;
  for (const auto& [name, layout] : layouts()) out.push_back(layout);
  return out;
}

}  // namespace lmc
