#include "passes/engine/check_inputs.h"

#include <algorithm>
#include <cmath>

#include "ir/demand.h"
#include "ir/op_def.h"
#include "ir/seeded.h"

namespace lmc {
namespace {

Tensor filled_cache(const std::string& name, const Type& t, int64_t first, int64_t positions) {
  const CacheShape shape = cache_shape(t);
  if (t.dtype == DType::state_f32 && positions > 1) {  // the last is all that is looked back on
    first += positions - 1;
    positions = 1;
  }
  Tensor kv = make_tensor(t.dtype, {positions, shape.heads, shape.key + shape.value});
  kv.first = first;
  const uint64_t key = seeded_key(name);
  for (size_t i = 0; i < kv.data.size(); ++i) kv.data[i] = std::round(seeded(key, i) * 64) / 64;  // fits f16
  return kv;
}

Tensor indices(const Demand& d, const CheckScene& scene, const std::vector<int64_t>& dims) {
  Tensor x = make_tensor(DType::i32, dims);
  const auto limit = static_cast<uint64_t>(std::max<int64_t>(d.below, 1));
  for (size_t i = 0; i < x.data.size(); ++i) {
    const auto n = static_cast<int64_t>(i);
    const int64_t number = d.position ? scene.first + n
                           : d.row    ? n
                           : d.length ? scene.first + scene.tokens
                                      : static_cast<int64_t>(seeded_bits(0, i) % limit);
    x.data[i] = static_cast<double>(number);
  }
  return x;
}

// In [-0.5, 0.5], a matrix by about 1 / sqrt(columns) smaller, so that its products have the size of what
// goes in. Representable in f16 and bf16, as a stored weight would be.
Tensor seeded_weight(const std::string& name, const Type& type) {
  Tensor t = make_tensor(type.dtype, type.dims);
  const uint64_t key = seeded_key(name);
  const double columns = type.rank() < 2 ? 1 : static_cast<double>(std::max<int64_t>(type.last(), 1));
  const double unit = std::exp2(-7 - std::floor(std::log2(columns) / 2));
  for (size_t i = 0; i < t.data.size(); ++i) t.data[i] = std::round(seeded(key, i) * 64) * unit;
  return t;
}

// Does some attention have a window that another takes the place of?
bool has_replaced(const Graph& g, const std::map<int64_t, int64_t>& windows) {
  const std::vector<OpId> ops = g.ops();
  return std::any_of(ops.begin(), ops.end(), [&](OpId id) {
    const Op& op = g.op(id);
    if (op.body && has_replaced(*op.body, windows)) return true;
    const auto by = op.attrs.contains("window") ? windows.find(attr_int(op, "window")) : windows.end();
    return by != windows.end() && by->first != by->second;
  });
}

void replace_windows(Graph& g, const std::map<int64_t, int64_t>& windows) {
  for (OpId id : g.ops()) {
    if (g.op(id).body) replace_windows(g.body(id), windows);
    if (!g.op(id).attrs.contains("window")) continue;
    if (const auto by = windows.find(attr_int(g.op(id), "window")); by != windows.end())
      g.set_attr(id, "window", by->second);
  }
}

}  // namespace

TensorMap make_check_inputs(const Graph& g, const CheckScene& scene) {
  TensorMap out;
  for (ValueId v : g.inputs()) {
    const Type& t = g.type(v);
    const std::string& name = g.value(v).name;
    const Demand d = demand_on(g, v);
    if (is_kv(t.dtype)) {  // one that is read as it is must hold this step's positions already
      out[name] =
          filled_cache(name, t, scene.first - scene.held, scene.held + (d.appended ? 0 : scene.tokens));
      continue;
    }
    std::vector<int64_t> dims = t.dims;
    for (int64_t& n : dims) n = n < 0 ? scene.tokens : n;
    if (t.dtype == DType::i32) {
      out[name] = indices(d, scene, dims);
      continue;
    }
    Tensor x = make_tensor(t.dtype, dims);
    const uint64_t key = seeded_key(name);
    for (size_t i = 0; i < x.data.size(); ++i) x.data[i] = 2 * seeded(key, i);
    out[name] = std::move(x);
  }
  return out;
}

std::vector<Tensor> evaluate_on(const Graph& g, TensorMap inputs, const std::map<int64_t, int64_t>& windows,
                                const WeightSource* weights) {
  if (has_replaced(g, windows)) {
    Graph narrow = g.clone();
    replace_windows(narrow, windows);
    return evaluate_on(narrow, std::move(inputs), {}, weights);
  }
  for (ValueId v : g.inputs()) {  // a pass may have given a cache another format
    if (const auto it = inputs.find(g.value(v).name); it != inputs.end()) it->second.dtype = g.type(v).dtype;
  }
  if (weights) return evaluate(g, inputs, *weights);
  return evaluate(g, inputs, seeded_weight);
}

}  // namespace lmc
