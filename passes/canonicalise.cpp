// Brings a graph into the form patterns expect: equal ops become one, no-ops and dead ops vanish.
//
//   %a = rope_angles(%pos) {…}   %b = rope_angles(%pos) {…}     →   one of them
//   %y = scale(%x) {by=1}                                       →   %x
//   %y = transpose(transpose(@w))                               →   @w
//   %y = reshape(reshape(%x) {shape=[2,4]}) {shape=[4,2]}       →   reshape(%x) {shape=[4,2]}
#include <map>

#include "ir/effects.h"
#include "ir/op_def.h"
#include "ir/pass.h"

namespace lmc::passes::canonicalise {
namespace {

// What the op's result is equal to among values that exist already; invalid if nothing simpler does.
ValueId simpler(const Graph& g, const Op& op) {
  const std::string& name = op.def->name;
  const ValueId x = op.operands.empty() ? ValueId{} : op.operands[0];
  if (name == "scale" && attr_real(op, "by") == 1) return x;
  if (name == "reshape" && g.type(x) == g.type(op.results[0])) return x;
  if (name == "concat" && op.operands.size() == 1) return x;
  if (name == "split" && op.results.size() == 1) return x;
  if (name == "slice" && g.type(x) == g.type(op.results[0])) return x;
  if (name == "transpose") {
    const Op* inner = g.def_op(x);
    if (inner && inner->def->name == "transpose") return inner->operands[0];
  }
  return {};
}

// A reshape of a reshape reads the first one's input. Returns whether there was one.
bool skip_inner_reshape(Graph& g, OpId id) {
  const Op* inner = g.op(id).def->name == "reshape" ? g.def_op(g.op(id).operands[0]) : nullptr;
  if (!inner || inner->def->name != "reshape") return false;
  g.set_operand(id, 0, inner->operands[0]);
  return true;
}

// Equal text, equal op: name, attributes and operands.
std::string key(const Op& op) {
  std::string out = op.def->name;
  for (ValueId v : op.operands) out += " " + std::to_string(v.v);
  for (const auto& [name, value] : op.attrs) out += " " + name + "=" + attr_text(value);
  return out;
}

class Canonicalise : public Pass {
 public:
  std::string name() const override { return "canonicalise"; }
  std::string doc() const override { return "merge equal ops, drop no-ops and dead ops"; }
  std::vector<std::string> before() const override { return {"fuse-qkv"}; }

  bool run(Graph& g, PassContext& context) const override {
    std::map<std::string, OpId> seen;
    for (OpId id : topo_order(g)) {
      if (context.applications >= context.limit) return context.applications > 0;
      // One after the other: a reshape that skips its inner one may turn out to change nothing.
      if (skip_inner_reshape(g, id)) ++context.applications;
      const Op& op = g.op(id);
      if (const ValueId same = simpler(g, op); same.valid()) {
        g.replace_all_uses(op.results[0], same);
        g.erase_op(id);
        ++context.applications;
        continue;
      }
      // What changes an operand in place is never the same op as another.
      if (!updates_of(op).empty() || op.body) continue;
      const auto [it, fresh] = seen.emplace(key(op), id);
      if (fresh) continue;
      for (size_t i = 0; i < op.results.size(); ++i) {
        g.replace_all_uses(op.results[i], g.result(it->second, i));
      }
      g.erase_op(id);
      ++context.applications;
    }
    if (context.applications < context.limit && g.remove_dead() > 0) ++context.applications;
    return context.applications > 0;
  }
};

const RegisterPass kPass(std::make_unique<Canonicalise>());

}  // namespace
}  // namespace lmc::passes::canonicalise
