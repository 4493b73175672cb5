#include "ir/op_def.h"
#include "rewrites.h"

namespace lmc {
namespace {

bool is(const Graph& g, ValueId v, const char* op) { return g.def_op(v) && g.def_op(v)->def->name == op; }

// Both operands are activations of the result's shape (the second is no vector that is repeated).
bool of_one_shape(const Graph& g, const Op& op) {
  return op.operands.size() == 2 && is_activation(g, op.operands[0]) &&
         g.type(op.operands[0]) == g.type(op.operands[1]);
}

// add(a, b)   →   add(b, a)
bool commute(Graph& g, OpId id, Rng&) {
  const Op& op = g.op(id);
  if (!op.def->commutative || !of_one_shape(g, op)) return false;
  const ValueId a = op.operands[0];
  const ValueId b = op.operands[1];
  g.set_operand(id, 0, b);
  g.set_operand(id, 1, a);
  return true;
}

// add(add(a, b), c)   →   add(a, add(b, c))
bool associate(Graph& g, OpId id, Rng&) {
  const Op& op = g.op(id);
  if (op.def->name != "add" || !of_one_shape(g, op) || !is(g, op.operands[0], "add")) return false;
  const Op& inner = *g.def_op(op.operands[0]);
  if (!of_one_shape(g, inner)) return false;
  const ValueId a = inner.operands[0];
  const ValueId sum = add(g, op, "add", {inner.operands[1], op.operands[1]});
  g.set_operand(id, 0, a);
  g.set_operand(id, 1, sum);
  return true;
}

// scale(x) {by=s}   →   scale(scale(x) {by=3}) {by=s/3}
bool scale_in_two(Graph& g, OpId id, Rng&) {
  const Op& op = g.op(id);
  if (op.def->name != "scale" || !is_activation(g, op.operands[0])) return false;
  const double by = attr_real(op, "by");
  const ValueId first = add(g, op, "scale", {op.operands[0]}, {{"by", 3.0}});
  g.set_operand(id, 0, first);
  g.set_attr(id, "by", by / 3);
  return true;
}

// x   →   scale(scale(x) {by=0.5}) {by=2}, or another power of two, which is exact
bool scale_there_and_back(Graph& g, OpId id, Rng& random) {
  const ValueId x = g.result(id);
  if (!is_activation(g, x)) return false;
  const Readers readers(g, x);
  const double by = pick(random, std::vector<double>{0.25, 0.5, 2, 4});
  const ValueId there = add(g, g.op(id), "scale", {x}, {{"by", by}});
  readers.read(g, add(g, g.op(id), "scale", {there}, {{"by", 1 / by}}));
  return true;
}

// scale(add(a, b))   →   add(scale(a), scale(b))
bool distribute_scale(Graph& g, OpId id, Rng&) {
  const Op& op = g.op(id);
  if (op.def->name != "scale" || !is(g, op.operands[0], "add")) return false;
  const Op& sum = *g.def_op(op.operands[0]);
  if (!of_one_shape(g, sum)) return false;
  const AttrMap by = op.attrs;
  const Readers readers(g, g.result(id));
  const std::vector<ValueId> operands = sum.operands;
  const ValueId a = add(g, g.op(id), "scale", {operands[0]}, by);
  const ValueId b = add(g, g.op(id), "scale", {operands[1]}, by);
  readers.read(g, add(g, g.op(id), "add", {a, b}));
  return true;
}

// mul(a, add(b, c))   →   add(mul(a, b), mul(a, c)), for either order of mul
bool distribute_product(Graph& g, OpId id, Rng&) {
  const Op& op = g.op(id);
  if (op.def->name != "mul" || !of_one_shape(g, op)) return false;
  for (const size_t i : {size_t{0}, size_t{1}}) {
    if (!is(g, op.operands[i], "add") || !of_one_shape(g, *g.def_op(op.operands[i]))) continue;
    const ValueId a = op.operands[1 - i];
    const std::vector<ValueId> terms = g.def_op(op.operands[i])->operands;
    const Readers readers(g, g.result(id));
    const ValueId first = add(g, g.op(id), "mul", {a, terms[0]});
    const ValueId second = add(g, g.op(id), "mul", {a, terms[1]});
    readers.read(g, add(g, g.op(id), "add", {first, second}));
    return true;
  }
  return false;
}

// add(a, b)   →   sub(a, scale(b) {by=-1})
bool sum_as_difference(Graph& g, OpId id, Rng&) {
  const Op& op = g.op(id);
  if (op.def->name != "add" || !of_one_shape(g, op)) return false;
  const std::vector<ValueId> operands = op.operands;
  const Readers readers(g, g.result(id));
  const ValueId minus = add(g, g.op(id), "scale", {operands[1]}, {{"by", -1.0}});
  readers.read(g, add(g, g.op(id), "sub", {operands[0], minus}));
  return true;
}

// softcap(x) {cap=c}   →   scale(tanh(scale(x) {by=1/c})) {by=c}
bool softcap_written_out(Graph& g, OpId id, Rng&) {
  const Op& op = g.op(id);
  if (op.def->name != "softcap" || !is_activation(g, op.operands[0])) return false;
  const double cap = attr_real(op, "cap");
  const Readers readers(g, g.result(id));
  const ValueId small = add(g, g.op(id), "scale", {g.op(id).operands[0]}, {{"by", 1 / cap}});
  const ValueId limited = add(g, g.op(id), "tanh", {small});
  readers.read(g, add(g, g.op(id), "scale", {limited}, {{"by", cap}}));
  return true;
}

// One of the readers of an op's result gets a copy of the op to itself.
bool compute_twice(Graph& g, OpId id, Rng& random) {
  const Op& op = g.op(id);
  for (ValueId r : op.results) {
    if (is_kv(g.type(r).dtype) || g.type(r).is_static()) return false;
  }
  const ValueId result = op.results[below(random, op.results.size())];
  const auto i = static_cast<size_t>(g.value(result).result_index);
  const UseList& uses = g.value(result).uses;
  if (uses.empty()) return false;
  const Use reader = uses[below(random, uses.size())];
  const OpId copy = add_copy(g, id, std::vector<ValueId>(op.operands));
  g.set_operand(reader.op, reader.operand, g.result(copy, i));
  return true;
}

// select_rows(f(x), rows)   →   f(select_rows(x, rows)), where f works on each row alone
bool rows_chosen_earlier(Graph& g, OpId id, Rng&) {
  const Op& op = g.op(id);
  if (op.def->name != "select_rows" || !g.def_op(op.operands[0])) return false;
  const OpId f = g.value(op.operands[0]).def;
  const std::string& name = g.op(f).def->name;
  std::vector<ValueId> operands = g.op(f).operands;
  if (name != "rms_norm" && name != "layer_norm" && g.op(f).def->category != OpCategory::elementwise)
    return false;
  for (size_t i = 1; i < operands.size(); ++i) {
    if (!is_weight(g, operands[i])) return false;
  }
  const ValueId rows = op.operands[1];
  const Readers readers(g, g.result(id));
  operands[0] = add(g, op, "select_rows", {operands[0], rows});
  readers.read(g, g.result(add_copy(g, f, operands)));
  return true;
}

}  // namespace

std::vector<Rewriting> elementwise_rewritings() {
  return {{"commute", commute},
          {"associate", associate},
          {"scale-in-two", scale_in_two},
          {"scale-there-and-back", scale_there_and_back},
          {"distribute-scale", distribute_scale},
          {"distribute-product", distribute_product},
          {"sum-as-difference", sum_as_difference},
          {"softcap-written-out", softcap_written_out},
          {"compute-twice", compute_twice},
          {"rows-chosen-earlier", rows_chosen_earlier}};
}

}  // namespace lmc
