#include "codegen/lowering/open_groups.h"

#include "ir/effects.h"
#include "ir/op_def.h"

namespace lmc {
namespace {

class Opener {
 public:
  FlatGraph run(const Graph& g) {
    out_.graph.name = g.name;
    SideTable<ValueId, ValueId> map(g.num_value_ids());
    for (ValueId v : g.inputs()) map[v] = out_.graph.add_input(g.value(v).name, g.type(v));
    for (ValueId v : g.weights()) map[v] = out_.graph.add_weight(g.value(v).name, g.type(v));
    copy_ops(g, map, -1, "", "");
    std::vector<ValueId> outputs;
    for (ValueId v : g.outputs()) outputs.push_back(map[v]);
    out_.graph.set_outputs(outputs);
    return std::move(out_);
  }

 private:
  void copy_ops(const Graph& g, SideTable<ValueId, ValueId>& map, int32_t cluster, const std::string& group,
                const std::string& scope) {
    for (OpId id : run_order(g)) {
      const Op& op = g.op(id);
      std::vector<ValueId> operands;
      for (ValueId v : op.operands) operands.push_back(map[v]);
      const std::string& op_scope = op.scope.empty() ? scope : op.scope;
      if (op.body) {
        const auto first = static_cast<uint32_t>(out_.graph.num_op_ids());
        SideTable<ValueId, ValueId> inner(op.body->num_value_ids());
        for (size_t i = 0; i < operands.size(); ++i) inner[op.body->inputs()[i]] = operands[i];
        copy_ops(*op.body, inner, cluster >= 0 ? cluster : next_++, attr_string(op, "name"), op_scope);
        for (size_t i = 0; i < op.results.size(); ++i) {
          const ValueId v = map[op.results[i]] = inner[op.body->outputs()[i]];
          const Value& made = out_.graph.value(v);  // not one that the body only hands on
          if (made.kind == ValueKind::result && made.def.v >= first)
            out_.graph.rename(v, g.value(op.results[i]).name);
        }
        continue;
      }
      std::vector<std::string> names;
      for (ValueId r : op.results) names.push_back(g.value(r).name);
      const OpId copy = out_.graph.add_op(*op.def, operands, op.attrs, names, op_scope, op.loc);
      out_.graph.set_source(copy, op.source);
      for (size_t i = 0; i < op.results.size(); ++i) map[op.results[i]] = out_.graph.result(copy, i);
      out_.cluster[copy] = cluster >= 0 ? cluster : next_++;
      out_.group[copy] = group;
    }
  }

  FlatGraph out_;
  int32_t next_ = 0;
};

}  // namespace

FlatGraph open_groups(const Graph& g) { return Opener().run(g); }

}  // namespace lmc
