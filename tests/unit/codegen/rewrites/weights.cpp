#include <algorithm>

#include "ir/op_def.h"
#include "rewrites.h"

namespace lmc {
namespace {

int64_t rows(const Graph& g, ValueId w) { return g.type(w).dims[0]; }
bool is_linear(const Op& op) { return op.def->name == "linear"; }
bool is_matrix(const Graph& g, ValueId v) { return is_weight(g, v) && g.type(v).rank() == 2; }
bool has_float_weight(const Graph& g, const Op& op) {
  return is_linear(op) && is_float(g.type(op.operands[1]).dtype);
}

ValueId part(Graph& g, const Op& like, ValueId w, int64_t axis, int64_t start, int64_t size) {
  return add(g, like, "slice", {w}, {{"axis", axis}, {"start", start}, {"size", size}});
}

// @w   →   concat(slice(@w), slice(@w))
bool weight_in_pieces(Graph& g, OpId id, Rng& random) {
  const Op& op = g.op(id);
  if ((!is_linear(op) && op.def->name != "embedding") || !is_matrix(g, op.operands[1])) return false;
  const ValueId w = op.operands[1];
  const int64_t axis = is_float(g.type(w).dtype) && one_in(random, 2) ? 1 : 0;
  const int64_t n = g.type(w).dims[static_cast<size_t>(axis)];
  if (n < 2) return false;
  const int64_t cut = 1 + static_cast<int64_t>(below(random, static_cast<size_t>(n - 1)));
  const ValueId first = part(g, g.op(id), w, axis, 0, cut);
  const ValueId second = part(g, g.op(id), w, axis, cut, n - cut);
  const ValueId whole = add(g, g.op(id), "concat", {first, second}, {{"axis", axis}});
  g.set_operand(id, 1, whole);
  return true;
}

// @w   →   transpose(transpose(@w))
bool transpose_twice(Graph& g, OpId id, Rng&) {
  const Op& op = g.op(id);
  if (!has_float_weight(g, op)) return false;
  const ValueId across = add(g, op, "transpose", {op.operands[1]});
  const ValueId back = add(g, g.op(id), "transpose", {across});
  g.set_operand(id, 1, back);
  return true;
}

// scale(linear(x, w)) {by=s}   →   linear(x, scale(cast(w)) {by=s})
bool scale_into_weight(Graph& g, OpId id, Rng&) {
  const Op& op = g.op(id);
  if (op.def->name != "scale" || !g.def_op(op.operands[0])) return false;
  const OpId linear = g.value(op.operands[0]).def;
  if (!has_float_weight(g, g.op(linear)) || g.op(linear).operands.size() > 2) return false;
  const AttrMap by = op.attrs;
  const Readers readers(g, g.result(id));
  const std::vector<ValueId> operands = g.op(linear).operands;
  const ValueId wide = add(g, g.op(id), "cast", {operands[1]});
  const ValueId scaled = add(g, g.op(id), "scale", {wide}, by);
  readers.read(g, g.result(add_copy(g, linear, {operands[0], scaled})));
  return true;
}

// linear(scale(x) {by=s}, w)   →   scale(linear(x, w)) {by=s}
bool scale_behind_linear(Graph& g, OpId id, Rng&) {
  const Op& op = g.op(id);
  if (!has_float_weight(g, op) || op.operands.size() > 2) return false;
  const Op* scale = g.def_op(op.operands[0]);
  if (!scale || scale->def->name != "scale") return false;
  const AttrMap by = scale->attrs;
  const std::vector<ValueId> operands = {scale->operands[0], op.operands[1]};
  const Readers readers(g, g.result(id));
  const ValueId product = g.result(add_copy(g, id, operands));
  readers.read(g, add(g, g.op(id), "scale", {product}, by));
  return true;
}

// linear(x, w)   →   linear(scale(x) {by=s}, scale(cast(w)) {by=1/s}) for a power of two, which is exact.
// What a kernel multiplies by differs from layer to layer then, and its weights make up for that alone.
bool factor_between(Graph& g, OpId id, Rng& random) {
  const Op& op = g.op(id);
  if (!has_float_weight(g, op) || !is_activation(g, op.operands[0])) return false;
  const std::vector<ValueId> operands = op.operands;
  const double by = pick(random, std::vector<double>{0.25, 0.5, 2, 4});
  const ValueId x = add(g, g.op(id), "scale", {operands[0]}, {{"by", by}});
  const ValueId wide = add(g, g.op(id), "cast", {operands[1]});
  const ValueId w = add(g, g.op(id), "scale", {wide}, {{"by", 1 / by}});
  g.set_operand(id, 0, x);
  g.set_operand(id, 1, w);
  return true;
}

// linear(x, w, b)   →   add(linear(x, w), b)
bool bias_behind(Graph& g, OpId id, Rng&) {
  const Op& op = g.op(id);
  if (!is_linear(op) || op.operands.size() < 3) return false;
  const std::vector<ValueId> operands = op.operands;
  const Readers readers(g, g.result(id));
  const ValueId product = g.result(add_copy(g, id, {operands[0], operands[1]}));
  readers.read(g, add(g, g.op(id), "add", {product, operands[2]}));
  return true;
}

// linear(x, w, b)   →   add(linear(x0, w[:, :k], b), linear(x1, w[:, k:])) of the parts of x
bool columns_in_two(Graph& g, OpId id, Rng& random) {
  const Op& op = g.op(id);
  if (!has_float_weight(g, op) || !is_activation(g, op.operands[0])) return false;
  const std::vector<ValueId> operands = op.operands;
  const int64_t n = g.type(operands[1]).last();
  if (n < 2) return false;
  const int64_t cut = 1 + static_cast<int64_t>(below(random, static_cast<size_t>(n - 1)));
  const Readers readers(g, g.result(id));
  const OpId split =
      g.add_op("split", {operands[0]}, {{"sizes", std::vector{cut, n - cut}}}, {}, std::string(op.scope));
  std::vector<ValueId> first = {g.result(split), part(g, g.op(id), operands[1], 1, 0, cut)};
  if (operands.size() > 2) first.push_back(operands[2]);
  const ValueId a = g.result(add_copy(g, id, first));
  const ValueId w = part(g, g.op(id), operands[1], 1, cut, n - cut);
  const ValueId b = g.result(add_copy(g, id, {g.result(split, 1), w}));
  readers.read(g, add(g, g.op(id), "add", {a, b}));
  return true;
}

// linear(x, v), linear(x, w)   →   split(linear(x, concat(v, w))), in either order
bool two_as_one(Graph& g, OpId id, Rng& random) {
  if (!is_linear(g.op(id))) return false;
  const auto fits = [&](OpId other) {
    const Op& a = g.op(id);
    const Op& b = g.op(other);
    return other != id && is_linear(b) && a.operands[0] == b.operands[0] &&
           a.operands.size() == b.operands.size() &&
           g.type(a.operands[1]).dtype == g.type(b.operands[1]).dtype &&
           (a.operands.size() < 3 || g.type(a.operands[2]).dtype == g.type(b.operands[2]).dtype);
  };
  const std::vector<OpId> ops = g.ops();
  const auto other = std::find_if(ops.begin(), ops.end(), fits);
  if (other == ops.end()) return false;
  std::vector<OpId> both = {id, *other};
  if (one_in(random, 2)) std::swap(both[0], both[1]);
  const std::vector<ValueId> a = g.op(both[0]).operands;
  const std::vector<ValueId> b = g.op(both[1]).operands;
  const Readers readers_a(g, g.result(both[0]));
  const Readers readers_b(g, g.result(both[1]));
  std::vector<ValueId> operands = {a[0], add(g, g.op(id), "concat", {a[1], b[1]})};
  if (a.size() > 2) operands.push_back(add(g, g.op(id), "concat", {a[2], b[2]}));
  const OpId merged = add_copy(g, both[0], operands);
  const std::vector<int64_t> sizes = {rows(g, a[1]), rows(g, b[1])};
  const OpId split =
      g.add_op("split", {g.result(merged)}, {{"sizes", sizes}}, {}, std::string(g.op(id).scope));
  readers_a.read(g, g.result(split, 0));
  readers_b.read(g, g.result(split, 1));
  return true;
}

// split(linear(x, w))   →   one linear for each part; or one linear of the parts in another order
bool parts_of_a_projection(Graph& g, OpId id, Rng& random) {
  if (g.op(id).def->name != "split" || !g.def_op(g.op(id).operands[0])) return false;
  const OpId linear = g.value(g.op(id).operands[0]).def;
  if (!is_linear(g.op(linear)) || g.type(g.op(id).operands[0]).rank() != 2) return false;
  const std::vector<ValueId> operands = g.op(linear).operands;
  const std::vector<int64_t> sizes = attr_ints(g.op(id), "sizes");
  std::vector<Readers> readers;
  for (ValueId r : g.op(id).results) readers.emplace_back(g, r);
  // For each operand behind the first, its parts.
  std::vector<std::vector<ValueId>> parts(sizes.size(), {operands[0]});
  for (size_t o = 1; o < operands.size(); ++o) {
    int64_t at = 0;
    for (size_t i = 0; i < sizes.size(); at += sizes[i++])
      parts[i].push_back(part(g, g.op(id), operands[o], 0, at, sizes[i]));
  }
  if (one_in(random, 2)) {
    for (size_t i = 0; i < sizes.size(); ++i) readers[i].read(g, g.result(add_copy(g, linear, parts[i])));
    return true;
  }
  std::vector<ValueId> turned = {operands[0]};
  for (size_t o = 1; o < operands.size(); ++o) {
    std::vector<ValueId> pieces;
    for (size_t i = sizes.size(); i-- > 0;) pieces.push_back(parts[i][o]);
    turned.push_back(add(g, g.op(id), "concat", pieces));
  }
  const ValueId y = g.result(add_copy(g, linear, turned));
  const OpId split = g.add_op("split", {y}, {{"sizes", std::vector<int64_t>(sizes.rbegin(), sizes.rend())}},
                              {}, std::string(g.op(id).scope));
  for (size_t i = 0; i < sizes.size(); ++i) readers[i].read(g, g.result(split, sizes.size() - 1 - i));
  return true;
}

}  // namespace

std::vector<Rewriting> weight_rewritings() {
  return {{"weight-in-pieces", weight_in_pieces},
          {"transpose-twice", transpose_twice},
          {"scale-into-weight", scale_into_weight},
          {"scale-behind-linear", scale_behind_linear},
          {"factor-between", factor_between},
          {"bias-behind", bias_behind},
          {"columns-in-two", columns_in_two},
          {"two-as-one", two_as_one},
          {"parts-of-a-projection", parts_of_a_projection}};
}

}  // namespace lmc
