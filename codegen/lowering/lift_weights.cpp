#include "codegen/lowering/lift_weights.h"

#include <algorithm>
#include <map>

#include "ir/op_def.h"

namespace lmc {
namespace {

// `constant` of the body's inputs; of its other values it follows.
SideTable<ValueId, char> constant_in(const Graph& body, const std::vector<char>& inputs) {
  SideTable<ValueId, char> out(body.num_value_ids(), 0);
  for (size_t i = 0; i < inputs.size(); ++i) out[body.inputs()[i]] = inputs[i];
  for (OpId id : topo_order(body)) {
    const auto& operands = body.op(id).operands;
    const bool all =
        !operands.empty() && std::all_of(operands.begin(), operands.end(), [&](ValueId v) { return out[v]; });
    for (ValueId r : body.op(id).results) out[r] = all;
  }
  return out;
}

// One group, written again without the ops that leave it.
class Lifted {
 public:
  Lifted(Graph& g, OpId group, const SideTable<ValueId, char>& constant)
      : g_(g), group_(group), body_(std::move(g.body(group))), constant_(constant), made_(body_.name) {}

  void run() {
    for (size_t i = 0; i < body_.inputs().size(); ++i)
      outside_[body_.inputs()[i]] = g_.op(group_).operands[i];
    for (OpId id : topo_order(body_)) {
      if (constant_[body_.result(id)]) {
        copy(id, g_, outside_);
      } else {
        for (ValueId v : body_.op(id).operands) bring_in(v);
        copy(id, made_, inside_);
      }
    }
    replace_group();
  }

 private:
  using Map = std::map<ValueId, ValueId>;  // of the old body's values

  void copy(OpId id, Graph& to, Map& map) {
    const Op& op = body_.op(id);
    std::vector<ValueId> operands;
    for (ValueId v : op.operands) operands.push_back(map.at(v));
    std::vector<std::string> names;
    for (ValueId r : op.results) names.push_back(body_.value(r).name);
    const std::string scope = op.scope.empty() && &to == &g_ ? g_.op(group_).scope : op.scope;
    const OpId made = to.add_op(*op.def, operands, op.attrs, names, scope, op.loc,
                                op.body ? std::make_unique<Graph>(op.body->clone()) : nullptr);
    to.set_source(made, op.source);
    for (size_t i = 0; i < op.results.size(); ++i) map[op.results[i]] = to.result(made, i);
  }

  void bring_in(ValueId v) {
    if (inside_.contains(v)) return;
    inside_[v] = made_.add_input(body_.value(v).name, body_.type(v));
    operands_.push_back(outside_.at(v));
  }

  void replace_group() {
    std::vector<ValueId> outputs, results;
    std::vector<std::string> names;
    for (size_t i = 0; i < body_.outputs().size(); ++i) {
      const ValueId inner = body_.outputs()[i];
      const ValueId result = g_.op(group_).results[i];
      if (outside_.contains(inner)) {  // made of weights alone, or handed on
        g_.replace_all_uses(result, outside_.at(inner));
        continue;
      }
      outputs.push_back(inside_.at(inner));
      results.push_back(result);
      names.push_back(g_.value(result).name);
    }
    if (!outputs.empty()) {
      made_.set_outputs(outputs);
      const Op& old = g_.op(group_);
      const int32_t source = old.source;
      const OpId made = g_.add_op(*old.def, operands_, AttrMap(old.attrs), names, std::string(old.scope),
                                  Location(old.loc), std::make_unique<Graph>(std::move(made_)));
      g_.set_source(made, source);
      for (size_t i = 0; i < results.size(); ++i) g_.replace_all_uses(results[i], g_.result(made, i));
      g_.erase_op(group_);
      for (size_t i = 0; i < names.size(); ++i) g_.rename(g_.result(made, i), names[i]);
    } else {
      g_.erase_op(group_);
    }
  }

  Graph& g_;
  const OpId group_;
  const Graph body_;
  const SideTable<ValueId, char>& constant_;  // in the body
  Graph made_;
  Map outside_, inside_;
  std::vector<ValueId> operands_;  // of the new group
};

bool lift(Graph& g, const SideTable<ValueId, char>& constant) {
  bool changed = false;
  for (OpId id : g.ops()) {
    if (!g.op(id).body || constant[g.result(id)]) continue;
    std::vector<char> inputs;
    for (ValueId v : g.op(id).operands) inputs.push_back(constant[v]);
    changed |= lift(g.body(id), constant_in(g.body(id), inputs));  // groups nest 32 deep at most
    const SideTable<ValueId, char> inside = constant_in(g.body(id), inputs);
    const std::vector<OpId> ops = g.body(id).ops();
    if (std::none_of(ops.begin(), ops.end(), [&](OpId op) { return inside[g.body(id).result(op)]; }))
      continue;
    Lifted(g, id, inside).run();
    changed = true;
  }
  return changed;
}

}  // namespace

bool lift_weights(Graph& g) { return lift(g, weight_only(g)); }

}  // namespace lmc
