#include "tools/bundle/bundle_weights.h"

#include "ir/op_def.h"
#include "ir/text.h"
#include "ir/verify.h"

namespace lmc {

BundleWeights::BundleWeights(const Bundle& bundle) : bundle_(bundle), addresses_(bundle.weights()) {}

std::optional<Type> BundleWeights::type(const std::string& name) const {
  for (const PlanWeight& w : bundle_.plan.weights) {
    if (w.name == name) return w.type;
  }
  return std::nullopt;
}

void BundleWeights::read(const std::string& name, int64_t first, std::span<float> out) const {
  for (size_t i = 0; i < bundle_.plan.weights.size(); ++i) {
    const PlanWeight& w = bundle_.plan.weights[i];
    if (w.name == name)
      return unpack(w.layout, w.type, static_cast<const std::byte*>(addresses_[i]), first, out);
  }
  throw Error(bundle_.path + ": has no weight '" + name + "'");
}

Graph graph_over_packed(const Bundle& bundle) {
  const std::string file = bundle.file("model.lmir");
  Graph g = parse_graph(read_file(file), file);
  for (OpId id : g.ops()) {
    if (g.is_erased(id) || g.op(id).def->name != "pack") continue;
    const ValueId packed = g.result(id);
    g.replace_all_uses(packed, g.add_weight(g.value(packed).name, g.type(packed)));
  }
  g.remove_dead();
  for (ValueId w : g.weights()) g.remove_weight_if_unused(w);
  verify(g);
  return g;
}

}  // namespace lmc
