#include "tools/build/auto_quant/lookups.h"

#include <algorithm>

namespace lmc {
namespace {

Lookups lookups(const Graph& model, ValueId weight) {
  const auto& uses = model.value(weight).uses;
  const auto looked_up = std::count_if(uses.begin(), uses.end(),
                                       [&](const Use& u) { return model.op(u.op).def->name == "embedding"; });
  return {looked_up > 0, looked_up > 0 && looked_up == static_cast<std::ptrdiff_t>(uses.size())};
}

}  // namespace

Lookups lookups(const Graph& model, const std::string& tensor) {
  const std::vector<ValueId> all = model.weights();
  const auto w =
      std::find_if(all.begin(), all.end(), [&](ValueId v) { return model.value(v).name == tensor; });
  return w == all.end() ? Lookups{} : lookups(model, *w);
}

std::vector<std::string> tables(const Graph& model) {
  std::vector<std::string> out;
  for (const ValueId w : model.weights()) {
    if (lookups(model, w).only) out.push_back(model.value(w).name);
  }
  return out;
}

}  // namespace lmc
