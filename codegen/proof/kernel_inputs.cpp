#include "codegen/proof/kernel_inputs.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "codegen/proof/seeded.h"
#include "codegen/view_root.h"
#include "codegen/weight_layout.h"
#include "ir/block_format.h"
#include "ir/demand.h"
#include "ir/effects.h"
#include "ir/op_def.h"
#include "ir/rope_frequencies.h"
#include "ir/weight_view.h"

namespace lmc::proof {
namespace {

std::vector<int64_t> concrete(const Type& t, int64_t tokens) {
  std::vector<int64_t> dims = t.dims;
  for (int64_t& d : dims) d = d < 0 ? tokens : d;
  return dims;
}

// As the kernel reads it: numbers that have been through the blocks; the first row goes to both ends. `parts`
// of a row that have blocks of their own.
void round_to_blocks(Tensor& t, DType dtype, const std::vector<int64_t>& parts) {
  for (int64_t i = 0; i < t.last() && t.rows() > 0; ++i)
    t.row(0)[i] = i % 3 == 0 ? -1.5 : i % 3 == 1 ? 1.5 : static_cast<double>(0.01F);
  for (int64_t r = 0; r < t.rows(); ++r) {
    double* at = t.row(r);
    for (const int64_t n : parts) {
      round_row(block_format(dtype), at, n);
      at += n;
    }
  }
}

Tensor cache(const Type& type, int64_t positions, uint64_t key) {
  const CacheShape shape = cache_shape(type);
  // Of states the last is all that is looked back on, and a large one.
  const int64_t held = type.dtype == DType::state_f32 ? std::min<int64_t>(positions, 1) : positions;
  Tensor kv = make_tensor(type.dtype, {held, shape.heads, shape.key + shape.value});
  kv.first = positions - held;
  for (size_t i = 0; i < kv.data.size(); ++i) kv.data[i] = std::round(seeded(key, i) * 64) / 64;
  if (type.dtype == DType::kv_q8_0) round_to_blocks(kv, DType::q8_0, {shape.key, shape.value});
  return kv;
}

// With the delta rule a state grows beyond all bounds where keys are longer than 1: what all numbers of an
// input are divided by that a key is taken from, or 1.
double key_length(const Graph& g, ValueId input) {
  for (OpId id : g.ops()) {
    const Op& op = g.op(id);
    if (op.def->name != "linear_recurrence" || attr_int(op, "delta") == 0) continue;
    if (view_root(g, op.operands[2]).value == input)
      return std::sqrt(static_cast<double>(g.type(op.operands[2]).last()));
  }
  return 1;
}

// Positions, rows of this step, or ids below the smallest table that they look up in.
Tensor indices(const Graph& g, ValueId v, const Demand& demand, int64_t tokens, int64_t positions_before,
               uint64_t key) {
  const Type& type = g.type(v);
  Tensor t = make_tensor(type.dtype, concrete(type, tokens));
  int64_t below = demand.below;
  if (demand.length) {  // on both sides of where the rope factors change
    for (const Use& u : g.value(v).uses) {
      const int64_t border = rope_border(g.op(u.op).attrs);
      if (border > 0) below = std::min(below, 2 * border);
    }
  }
  const int64_t places = t.last();
  for (size_t i = 0; i < t.data.size(); ++i) {
    const auto n = static_cast<int64_t>(i);
    // The places of a token name different experts.
    const int64_t first = seeded_below(key, static_cast<uint64_t>(n / places), below);
    const int64_t id = type.rank() > 1 ? (first + n % places) % below : seeded_below(key, i, below);
    t.data[i] = static_cast<double>(demand.position ? positions_before + n : demand.row ? n : id);
  }
  return t;
}

}  // namespace

int64_t positions_before(const KernelSpec& spec, int64_t tokens) {
  constexpr int64_t kSome = 200;
  int64_t past = kSome;
  for (const KernelOperand& o : spec.operands) {
    if (o.space == Space::kv && o.cache.capacity < 8 * kSome) past = std::max(past, o.cache.capacity + 9);
  }
  const Graph& g = spec.body;
  for (OpId id : g.ops()) {
    const Op& op = g.op(id);
    // Attention without a window ends with the cache, learned positions with their table.
    if (op.attrs.contains("window") && cache_read(g, op) && attr_int(op, "window") == 0)
      past = std::min(past, g.type(op.operands[1]).dims[0] - tokens);
    if (op.def->name == "attention_split")
      past = std::min(past, attr_int(op, "chunks") * attr_int(op, "chunk") - tokens);
    if (op.def->name == "attention_merge")
      past = std::min(past, g.type(op.operands[0]).dims[2] * attr_int(op, "chunk") - tokens);
    if (op.def->name == "embedding" && attr_int(op, "of") == 0)
      past = std::min(past, g.type(op.operands[1]).dims[0] - tokens);
  }
  return std::max<int64_t>(past, 0);
}

Tensor seeded_activation(const KernelSpec& spec, size_t input, int64_t tokens, int64_t positions_before) {
  const Graph& g = spec.body;
  const ValueId v = g.inputs()[input];
  const Type& type = g.type(v);
  const Demand demand = demand_on(g, v);
  const uint64_t key = seeded_bits(77 + input, 0);
  if (spec.operands[static_cast<size_t>(spec.inputs[input])].space == Space::kv)
    return cache(type, positions_before + (demand.appended ? 0 : tokens), key);
  if (type.dtype == DType::i32) return indices(g, v, demand, tokens, positions_before, key);
  Tensor t = make_tensor(type.dtype, concrete(type, tokens));
  const double length = key_length(g, v);
  for (size_t i = 0; i < t.data.size(); ++i)
    t.data[i] = static_cast<double>(static_cast<float>(2 * seeded(key, i) / length));
  if (is_quantised(type.dtype)) round_to_blocks(t, type.dtype, {t.last()});
  return t;
}

Tensor seeded_weight(const Type& type, uint64_t key, const PortionInput& part) {
  const Matrix all = matrix(type);
  const int64_t matrices = type.rank() == 3 ? type.dims[0] : 1;
  const int64_t rows = all.rows / matrices;
  std::vector<Range> ranges = part.ranges;
  if (part.part != PortionInput::Part::rows) ranges = {{0, rows}};
  Tensor out{type.dtype, type.dims, {}};
  if (type.rank() >= 2) {
    int64_t count = 0;
    for (const Range& r : ranges) count += r.count;
    out.dims[out.dims.size() - 2] = count;
  }
  for (int64_t m = 0; m < matrices; ++m) {
    for (const Range& range : ranges) {
      for (int64_t r = range.first; r < range.first + range.count; ++r) {
        const WeightRow row = weight_row(type.dtype, all.cols, key, m * rows + r);
        out.data.insert(out.data.end(), row.numbers.begin(), row.numbers.end());
      }
    }
  }
  return out;
}

}  // namespace lmc::proof
