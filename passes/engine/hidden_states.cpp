#include "passes/engine/hidden_states.h"

#include <algorithm>

#include "ir/op_def.h"

namespace lmc {
namespace {

// Looks in the body of the group that makes `v` for what `find` finds from the body's output on, and hands
// that out instead. Invalid if there is nothing.
template <class Find>
ValueId inside(Graph& g, ValueId v, Find find) {
  const OpId group = g.value(v).def;
  const uint32_t index = g.value(v).result_index;
  Graph& body = g.body(group);
  std::vector<ValueId> outputs = body.outputs();
  const ValueId found = find(body, outputs[index]);
  if (!found.valid()) return {};
  const std::vector<ValueId> inputs = body.inputs();
  const auto input = std::find(inputs.begin(), inputs.end(), found);
  if (input != inputs.end()) return g.op(group).operands[static_cast<size_t>(input - inputs.begin())];
  outputs[index] = found;
  body.set_outputs(outputs);
  body.remove_dead();
  return v;
}

// `v` as it was before it was quantised.
ValueId unquantised(Graph& g, ValueId v) {
  const Op* op = g.def_op(v);
  if (!op) return v;
  if (op->body) return inside(g, v, unquantised);
  return op->def->name == "quantize" ? op->operands[0] : v;
}

// What the projection reads that `v` is made of, by it alone.
ValueId projected(Graph& g, ValueId v) {
  const Op* op = g.def_op(v);
  if (!op) return {};
  if (op->body) return inside(g, v, projected);
  if (op->def->name == "linear" && attr_string(*op, "role") == "lm_head")
    return unquantised(g, op->operands[0]);
  return op->operands.empty() ? ValueId() : projected(g, op->operands[0]);
}

}  // namespace

std::optional<Graph> hidden_states(const Graph& model) {
  Graph g = model.clone();
  std::vector<ValueId> outputs = g.outputs();
  if (outputs.empty()) return std::nullopt;
  outputs[0] = projected(g, outputs[0]);
  if (!outputs[0].valid()) return std::nullopt;
  g.set_outputs(outputs);
  g.rename(outputs[0], "hidden_states");
  g.remove_dead();
  g.reinfer();
  return g;
}

}  // namespace lmc
