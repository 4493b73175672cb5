#include "ir/extract.h"

#include <algorithm>

#include "ir/op_def.h"

namespace lmc {
namespace {

class Extractor {
 public:
  Extractor(const Graph& g, std::span<const OpId> ops)
      : g_(g), constant_(weight_only(g)), wanted_(g.num_op_ids(), 0), map_(g.num_value_ids()) {
    for (OpId id : ops) wanted_[id] = 1;
    out_.graph.name = g.name;
  }

  Extract run(std::span<const OpId> ops) {
    for (OpId id : ops) inputs_of(id);
    for (OpId id : ops) copy(id);
    std::vector<ValueId> outputs;
    for (ValueId v : g_.outputs()) {  // in the order the graph returns them …
      if (g_.def_op(v) && wanted_[g_.value(v).def]) add_once(outputs, map_[v]);
    }
    for (OpId id : ops) {  // … then what others read
      for (ValueId r : g_.op(id).results) {
        const auto& uses = g_.value(r).uses;
        if (std::any_of(uses.begin(), uses.end(), [&](const Use& u) { return !wanted_[u.op]; }))
          add_once(outputs, map_[r]);
      }
    }
    out_.graph.set_outputs(outputs);
    return std::move(out_);
  }

 private:
  static void add_once(std::vector<ValueId>& list, ValueId v) {
    if (std::find(list.begin(), list.end(), v) == list.end()) list.push_back(v);
  }

  void inputs_of(OpId id) {
    for (ValueId v : g_.op(id).operands) {
      const bool inside = g_.def_op(v) && (wanted_[g_.value(v).def] || constant_[v]);
      if (inside || g_.value(v).kind == ValueKind::weight || map_[v].valid()) continue;
      map_[v] = out_.graph.add_input(g_.value(v).name, g_.type(v));
    }
  }

  bool done(OpId id) const { return map_[g_.op(id).results[0]].valid(); }

  // With what it needs of ops on weights alone, which may be a long way up.
  void copy(OpId wanted) {
    std::vector<OpId> pending{wanted};
    while (!pending.empty()) {
      const OpId id = pending.back();
      const size_t before = pending.size();
      for (ValueId v : g_.op(id).operands) {
        if (g_.def_op(v) && !map_[v].valid()) pending.push_back(g_.value(v).def);
      }
      if (pending.size() > before) continue;
      pending.pop_back();
      if (!done(id)) copy_one(id);
    }
  }

  void copy_one(OpId id) {
    const Op& op = g_.op(id);
    std::vector<ValueId> operands;
    for (ValueId v : op.operands) {
      operands.push_back(g_.value(v).kind == ValueKind::weight
                             ? out_.graph.add_weight(g_.value(v).name, g_.type(v))
                             : map_[v]);
    }
    std::vector<std::string> names;
    for (ValueId r : op.results) names.push_back(g_.value(r).name);
    std::unique_ptr<Graph> body = op.body ? std::make_unique<Graph>(op.body->clone()) : nullptr;
    const OpId made =
        out_.graph.add_op(*op.def, operands, op.attrs, names, op.scope, op.loc, std::move(body));
    for (size_t i = 0; i < op.results.size(); ++i) map_[op.results[i]] = out_.graph.result(made, i);
    out_.source.push_back(id);
  }

  const Graph& g_;
  SideTable<ValueId, char> constant_;
  SideTable<OpId, char> wanted_;
  SideTable<ValueId, ValueId> map_;
  Extract out_;
};

}  // namespace

Extract extract(const Graph& g, std::span<const OpId> ops) { return Extractor(g, ops).run(ops); }

}  // namespace lmc
