// Wrapping ops into one `group`: what comes from outside becomes its inputs, what is read outside its
// outputs.
#include <algorithm>
#include <map>

#include "ir/op_def.h"
#include "passes/pattern/op_set.h"
#include "passes/pattern/rewrite.h"

namespace lmc {

OpId make_group(Graph& g, const std::vector<OpId>& matched, const std::string& name,
                const Location& asked_at) {
  const std::vector<OpId> ops = in_order(g, matched);
  const auto inside = [&](OpId id) { return std::find(ops.begin(), ops.end(), id) != ops.end(); };
  auto body = std::make_unique<Graph>(name);
  std::map<ValueId, ValueId> map;
  std::vector<ValueId> inputs, outputs;
  for (OpId id : ops) {
    for (ValueId v : g.op(id).operands) {
      const bool made_here = g.def_op(v) && inside(g.value(v).def);
      if (made_here || map.contains(v)) continue;
      std::string wanted = g.value(v).name;
      while (body->find_input(wanted).valid()) wanted += "_";
      map[v] = body->add_input(wanted, g.type(v));
      inputs.push_back(v);
    }
  }
  for (OpId id : ops) {
    const Op& op = g.op(id);
    std::vector<ValueId> operands;
    for (ValueId v : op.operands) operands.push_back(map.at(v));
    std::vector<std::string> names;
    for (ValueId r : op.results) names.push_back(g.value(r).name);
    std::unique_ptr<Graph> inner = op.body ? std::make_unique<Graph>(op.body->clone()) : nullptr;
    const OpId copy = body->add_op(*op.def, operands, op.attrs, names, "", op.loc, std::move(inner));
    for (size_t i = 0; i < op.results.size(); ++i) {
      const ValueId r = op.results[i];
      map[r] = body->result(copy, i);
      const auto& uses = g.value(r).uses;
      const bool outside = std::any_of(uses.begin(), uses.end(), [&](const Use& u) { return !inside(u.op); });
      if (outside || g.is_output(r)) outputs.push_back(r);
    }
  }
  std::vector<ValueId> body_outputs;
  std::vector<std::string> names;
  for (ValueId v : outputs) {
    body_outputs.push_back(map.at(v));
    names.push_back(g.value(v).name);
  }
  body->set_outputs(body_outputs);
  const OpId group = g.add_op(get_op("group"), inputs, {{"name", name}}, names, g.op(ops.back()).scope,
                              asked_at, std::move(body));
  for (size_t i = 0; i < outputs.size(); ++i) g.replace_all_uses(outputs[i], g.result(group, i));
  erase_ops(g, ops);
  for (size_t i = 0; i < outputs.size(); ++i) g.rename(g.result(group, i), names[i]);
  return group;
}

}  // namespace lmc
