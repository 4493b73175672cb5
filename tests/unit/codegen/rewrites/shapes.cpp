#include <numeric>

#include "ir/op_def.h"
#include "rewrites.h"

namespace lmc {
namespace {

// The dimensions behind the first.
std::vector<int64_t> shape_of(const Type& t) { return {t.dims.begin() + 1, t.dims.end()}; }

// Another shape for as many numbers.
std::vector<int64_t> other_shape(const Type& t, Rng& random) {
  const std::vector<int64_t> now = shape_of(t);
  const int64_t n = std::accumulate(now.begin(), now.end(), int64_t{1}, std::multiplies<>());
  std::vector<std::vector<int64_t>> out;
  for (int64_t parts = 1; parts <= n; ++parts) {
    if (n % parts != 0) continue;
    out.push_back(parts == 1 ? std::vector{n} : std::vector{parts, n / parts});
    if (out.back() == now) out.pop_back();
  }
  return out.empty() ? now : pick(random, out);
}

ValueId reshape(Graph& g, OpId like, ValueId v, const std::vector<int64_t>& shape) {
  return add(g, g.op(like), "reshape", {v}, {{"shape", shape}});
}

// x   →   reshape(reshape(x) {shape=[h, n/h]}) {shape=[n]}
bool reshape_there_and_back(Graph& g, OpId id, Rng& random) {
  const ValueId x = g.result(id);
  if (!is_activation(g, x)) return false;
  const Readers readers(g, x);
  const std::vector<int64_t> shape = shape_of(g.type(x));
  readers.read(g, reshape(g, id, reshape(g, id, x, other_shape(g.type(x), random)), shape));
  return true;
}

// f(a, b)   →   reshape(f(reshape(a), reshape(b)))
bool in_another_shape(Graph& g, OpId id, Rng& random) {
  const Op& op = g.op(id);
  const ValueId y = g.result(id);
  if (op.def->category != OpCategory::elementwise || !is_activation(g, y)) return false;
  std::vector<ValueId> operands = op.operands;
  for (ValueId v : operands) {
    if (g.type(v) != g.type(y)) return false;
  }
  const std::vector<int64_t> shape = shape_of(g.type(y));
  const std::vector<int64_t> other = other_shape(g.type(y), random);
  const Readers readers(g, y);
  for (ValueId& v : operands) v = reshape(g, id, v, other);
  readers.read(g, reshape(g, id, g.result(add_copy(g, id, operands)), shape));
  return true;
}

// f(split(x)[i])   →   split(f(x))[i]
bool part_of_a_whole(Graph& g, OpId id, Rng&) {
  const Op& op = g.op(id);
  if (op.def->category != OpCategory::elementwise || op.operands.size() != 1) return false;
  const Op* split = g.def_op(op.operands[0]);
  if (!split || split->def->name != "split") return false;
  const auto part = g.value(op.operands[0]).result_index;
  const OpId split_id = g.value(op.operands[0]).def;
  const Readers readers(g, g.result(id));
  const OpId whole = add_copy(g, id, {split->operands[0]});
  readers.read(g, g.result(add_copy(g, split_id, {g.result(whole)}), part));
  return true;
}

// split(x) {sizes=[a,b,c]}   →   split(x) {sizes=[a,b+c]}, split of its second part
bool split_in_two_steps(Graph& g, OpId id, Rng&) {
  const Op& op = g.op(id);
  if (op.def->name != "split" || op.results.size() < 3) return false;
  const std::vector<int64_t> sizes = attr_ints(op, "sizes");
  const std::vector<int64_t> rest(sizes.begin() + 1, sizes.end());
  const int64_t together = std::accumulate(rest.begin(), rest.end(), int64_t{0});
  std::vector<Readers> readers;
  for (ValueId r : op.results) readers.emplace_back(g, r);
  const ValueId x = op.operands[0];
  const std::string scope = op.scope;
  const OpId first = g.add_op("split", {x}, {{"sizes", std::vector{sizes[0], together}}}, {}, scope);
  const OpId second = g.add_op("split", {g.result(first, 1)}, {{"sizes", rest}}, {}, scope);
  readers[0].read(g, g.result(first));
  for (size_t i = 0; i < rest.size(); ++i) readers[i + 1].read(g, g.result(second, i));
  return true;
}

}  // namespace

std::vector<Rewriting> shape_rewritings() {
  return {{"reshape-there-and-back", reshape_there_and_back},
          {"in-another-shape", in_another_shape},
          {"part-of-a-whole", part_of_a_whole},
          {"split-in-two-steps", split_in_two_steps}};
}

}  // namespace lmc
