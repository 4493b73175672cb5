#include "passes/debug/graph_edit.h"

#include <algorithm>

#include "ir/op_def.h"
#include "ir/verify.h"

namespace lmc {
namespace {

using Values = std::map<ValueId, ValueId>;  // of the old graph → of the new one

class Rebuild {
 public:
  Rebuild(const Graph& g, const GraphEdit& edit, Graph& out)
      : g_(g), edit_(edit), out_(out), constant_(weight_only(g)) {}

  // `types`: of the inputs, where they are given from outside (a group's body).
  void run(const std::map<ValueId, Type>& types) {
    find_needed();
    for (ValueId v : g_.inputs()) {
      if (!needed_[v]) continue;
      const auto given = types.find(v);
      const auto changed = edit_.types.find(v);
      values_[v] = out_.add_input(g_.value(v).name, given != types.end()           ? given->second
                                                    : changed != edit_.types.end() ? changed->second
                                                                                   : g_.type(v));
    }
    for (ValueId v : g_.weights()) {
      if (!needed_[v]) continue;
      const auto changed = edit_.types.find(v);
      values_[v] =
          out_.add_weight(g_.value(v).name, changed == edit_.types.end() ? g_.type(v) : changed->second);
    }
    for (ValueId v : edit_.cut) {
      if (needed_[v]) values_[v] = cut(v);
    }
    for (OpId id : topo_order(g_)) {
      if (op_needed(id)) copy(id);
    }
    std::vector<ValueId> outputs;
    for (ValueId v : wanted_outputs()) outputs.push_back(value(v));
    out_.set_outputs(outputs);
  }

  bool kept(ValueId v) const { return needed_[v]; }

 private:
  std::vector<ValueId> wanted_outputs() const { return edit_.outputs.value_or(g_.outputs()); }

  ValueId redirected(ValueId v) const {
    for (auto it = edit_.instead.find(v); it != edit_.instead.end(); it = edit_.instead.find(v))
      v = it->second;
    return v;
  }

  ValueId value(ValueId v) const { return values_.at(redirected(v)); }

  bool op_needed(OpId id) const {
    return std::any_of(g_.op(id).results.begin(), g_.op(id).results.end(),
                       [&](ValueId r) { return needed_[r] && !edit_.cut.contains(r); });
  }

  void find_needed() {
    std::vector<ValueId> pending = wanted_outputs();
    while (!pending.empty()) {
      const ValueId v = redirected(pending.back());
      pending.pop_back();
      if (needed_[v]) continue;
      needed_[v] = 1;
      const Op* op = g_.def_op(v);
      if (!op || edit_.cut.contains(v)) continue;
      pending.insert(pending.end(), op->operands.begin(), op->operands.end());
    }
  }

  ValueId cut(ValueId v) {
    const std::string& name = g_.value(v).name;
    if (!constant_[v] || !g_.type(v).is_static()) return out_.add_input(name, g_.type(v));
    std::string wanted = name;
    while (out_.find_weight(wanted).valid()) wanted += "_";
    return out_.add_weight(wanted, g_.type(v));
  }

  void copy(OpId id) {
    const Op& op = g_.op(id);
    std::vector<ValueId> operands;
    for (ValueId v : op.operands) operands.push_back(value(v));
    if (op.body && edit_.inlined.contains(id)) return copy_inlined(op, operands);
    const auto attrs = edit_.attrs.find(id);
    std::vector<ValueId> results = op.results;
    std::unique_ptr<Graph> body;
    if (op.body) body = copy_body(id, operands, results);
    std::vector<std::string> names;
    for (ValueId r : results) names.push_back(g_.value(r).name);
    const OpId made = out_.add_op(*op.def, operands, attrs == edit_.attrs.end() ? op.attrs : attrs->second,
                                  names, op.scope, op.loc, std::move(body));
    for (size_t i = 0; i < results.size(); ++i) values_.try_emplace(results[i], out_.result(made, i));
  }

  // Drops the operands that the changed body does not read, and the results that it does not return.
  std::unique_ptr<Graph> copy_body(OpId id, std::vector<ValueId>& operands,
                                   std::vector<ValueId>& results) const {
    const Graph& body = *g_.op(id).body;
    static const GraphEdit kNone;
    const auto change = edit_.bodies.find(id);
    const GraphEdit& edit = change == edit_.bodies.end() ? kNone : change->second;
    std::map<ValueId, Type> types;
    for (size_t i = 0; i < operands.size(); ++i) types[body.inputs()[i]] = out_.type(operands[i]);
    auto copied = std::make_unique<Graph>(body.name);
    Rebuild rebuild(body, edit, *copied);
    rebuild.run(types);
    std::vector<ValueId> read;
    for (size_t i = 0; i < operands.size(); ++i) {
      if (rebuild.kept(body.inputs()[i])) read.push_back(operands[i]);
    }
    operands = read;
    if (edit.outputs) {
      std::vector<ValueId> returned;
      for (size_t i = 0; i < results.size(); ++i) {
        const auto& kept = *edit.outputs;
        if (std::find(kept.begin(), kept.end(), body.outputs()[i]) != kept.end())
          returned.push_back(results[i]);
      }
      results = returned;
    }
    return copied;
  }

  void copy_inlined(const Op& group, const std::vector<ValueId>& operands) {
    const Graph& body = *group.body;
    Values inner;
    for (size_t i = 0; i < operands.size(); ++i) inner[body.inputs()[i]] = operands[i];
    for (OpId id : topo_order(body)) {
      const Op& op = body.op(id);
      std::vector<ValueId> in;
      for (ValueId v : op.operands) in.push_back(inner.at(v));
      std::vector<std::string> names;
      for (ValueId r : op.results) names.push_back(body.value(r).name);
      auto nested = op.body ? std::make_unique<Graph>(op.body->clone()) : nullptr;
      const OpId made = out_.add_op(*op.def, in, op.attrs, names, group.scope, op.loc, std::move(nested));
      for (size_t i = 0; i < op.results.size(); ++i) inner[op.results[i]] = out_.result(made, i);
    }
    for (size_t i = 0; i < group.results.size(); ++i)
      values_.try_emplace(group.results[i], inner.at(body.outputs()[i]));
  }

  const Graph& g_;
  const GraphEdit& edit_;
  Graph& out_;
  SideTable<ValueId, char> constant_;
  SideTable<ValueId, char> needed_;
  Values values_;
};

}  // namespace

std::optional<Graph> edited(const Graph& g, const GraphEdit& edit) {
  Graph out(g.name);
  try {
    Rebuild(g, edit, out).run({});
    verify(out);
  } catch (const Error&) {  // it does not fit
    return std::nullopt;
  } catch (const std::out_of_range&) {  // a result that is read was dropped
    return std::nullopt;
  }
  if (out.outputs().empty()) return std::nullopt;
  return out;
}

}  // namespace lmc
