#include "tools/bundle/weight_identity.h"

#include "ir/text.h"

namespace lmc {

std::vector<int64_t> WeightIdentity::of(const Graph& g, std::span<const ValueId> values) {
  const SideTable<ValueId, char> constant = weight_only(g);
  SideTable<ValueId, int64_t> numbers(g.num_value_ids(), -1);
  for (ValueId w : g.weights()) numbers[w] = number("@" + g.value(w).name + ": " + g.type(w).str());
  for (OpId id : topo_order(g)) {
    const Op& op = g.op(id);
    if (op.results.empty() || !constant[op.results[0]]) continue;
    std::string text = op.def->name + " {" + attrs_text(op) + "}";
    for (ValueId v : op.operands) text += " " + std::to_string(numbers[v]);
    for (size_t i = 0; i < op.results.size(); ++i)
      numbers[op.results[i]] = number(text + " : " + std::to_string(i));
  }
  std::vector<int64_t> out;
  for (ValueId v : values) out.push_back(numbers[v]);
  return out;
}

int64_t WeightIdentity::number(const std::string& text) {
  return known_.emplace(text, static_cast<int64_t>(known_.size())).first->second;
}

}  // namespace lmc
