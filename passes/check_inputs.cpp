#include "passes/check_inputs.h"

#include <algorithm>
#include <cmath>

#include "ir/op_def.h"

namespace lmc {
namespace {

constexpr int64_t kMostPast = 4096;  // wider windows are not filled: the evaluator is slow
constexpr int64_t kLeastPast = 5;    // so that one token attends to more than itself

uint64_t mix(uint64_t z) {
  z += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

uint64_t key_of(const std::string& name) {
  uint64_t key = 0;
  for (unsigned char c : name) key = mix(key ^ c);
  return key;
}

// In [-1, 1), by name and index.
double seeded(uint64_t key, uint64_t index) {
  return static_cast<double>(static_cast<int64_t>(mix(key + index)) >> 11) * 0x1p-52;
}

// What the ops that read an input, also inside groups, want of its numbers.
struct Demand {
  bool position = false;      // follows the cache
  bool row = false;           // a row of this step
  bool appended = false;      // a cache that the step appends to
  int64_t below = INT32_MAX;  // ids: rows of the smallest table
  void note(const Graph& g, ValueId v) {
    for (const Use& u : g.value(v).uses) {
      const Op& op = g.op(u.op);
      if (op.body) {
        note(*op.body, op.body->inputs()[u.operand]);
        continue;
      }
      const std::string& operand =
          op.def->operands[std::min<size_t>(u.operand, op.def->operands.size() - 1)].name;
      position = position || operand == "pos";
      row = row || operand == "rows";
      appended = appended || (op.def->name == "kv_append" && u.operand == 0);
      if (operand == "ids") below = std::min(below, g.type(op.operands[1]).dims[0]);
    }
  }
};

Demand demand_on(const Graph& g, ValueId input) {
  Demand d;
  d.note(g, input);
  return d;
}

int64_t widest_window(const Graph& g) {
  int64_t widest = 0;
  for (OpId id : g.ops()) {
    const Op& op = g.op(id);
    if (op.attrs.contains("window")) widest = std::max(widest, attr_int(op, "window"));
    if (op.body) widest = std::max(widest, widest_window(*op.body));
  }
  return widest;
}

int64_t filled_positions(const Graph& g, int64_t tokens) {
  const std::vector<ValueId> inputs = g.inputs();
  if (std::none_of(inputs.begin(), inputs.end(), [&](ValueId v) { return is_kv(g.type(v).dtype); })) return 0;
  int64_t past = std::clamp(widest_window(g) + 3, kLeastPast, kMostPast);
  for (ValueId v : inputs) {  // learned positions end with their table
    const Demand d = demand_on(g, v);
    if (d.position) past = std::min(past, std::max<int64_t>(d.below - tokens, 0));
  }
  return past;
}

Tensor filled_cache(const std::string& name, const Type& t, int64_t positions) {
  Tensor kv = make_tensor(t.dtype, {positions, 2, t.dims[1], t.dims[2]});
  const uint64_t key = key_of(name);
  for (size_t i = 0; i < kv.data.size(); ++i) kv.data[i] = std::round(seeded(key, i) * 64) / 64;  // fits f16
  return kv;
}

Tensor indices(const Demand& d, int64_t past, const std::vector<int64_t>& dims) {
  Tensor x = make_tensor(DType::i32, dims);
  const auto limit = static_cast<uint64_t>(std::max<int64_t>(d.below, 1));
  for (size_t i = 0; i < x.data.size(); ++i) {
    const auto n = static_cast<int64_t>(i);
    x.data[i] = static_cast<double>(d.position ? past + n : d.row ? n : static_cast<int64_t>(mix(i) % limit));
  }
  return x;
}

// In [-0.5, 0.5], a matrix by about 1 / sqrt(columns) smaller, so that its products have the size of what
// goes in. Representable in f16 and bf16, as a stored weight would be.
Tensor seeded_weight(const std::string& name, const Type& type) {
  Tensor t = make_tensor(type.dtype, type.dims);
  const uint64_t key = key_of(name);
  const double columns = type.rank() < 2 ? 1 : static_cast<double>(std::max<int64_t>(type.last(), 1));
  const double unit = std::exp2(-7 - std::floor(std::log2(columns) / 2));
  for (size_t i = 0; i < t.data.size(); ++i) t.data[i] = std::round(seeded(key, i) * 64) * unit;
  return t;
}

}  // namespace

CheckInputs make_check_inputs(const Graph& g, int64_t tokens) {
  CheckInputs out{tokens, filled_positions(g, tokens), {}};
  for (ValueId v : g.inputs()) {
    const Type& t = g.type(v);
    const std::string& name = g.value(v).name;
    const Demand d = demand_on(g, v);
    if (is_kv(t.dtype)) {  // one that is read as it is must hold this step's positions already
      require(t.rank() == 3,
              "input %" + name + " is " + t.str() + ", not a cache [span, kv_heads, head_dim]");
      out.tensors[name] = filled_cache(name, t, out.past + (d.appended ? 0 : tokens));
      continue;
    }
    std::vector<int64_t> dims = t.dims;
    for (int64_t& n : dims) n = n < 0 ? tokens : n;
    if (t.dtype == DType::i32) {
      out.tensors[name] = indices(d, out.past, dims);
      continue;
    }
    Tensor x = make_tensor(t.dtype, dims);
    const uint64_t key = key_of(name);
    for (size_t i = 0; i < x.data.size(); ++i) x.data[i] = 2 * seeded(key, i);
    out.tensors[name] = std::move(x);
  }
  return out;
}

std::vector<Tensor> evaluate_on(const Graph& g, const CheckInputs& inputs, const WeightSource* weights) {
  TensorMap tensors = inputs.tensors;
  for (ValueId v : g.inputs()) {  // a pass may have given a cache another format
    if (const auto it = tensors.find(g.value(v).name); it != tensors.end())
      it->second.dtype = g.type(v).dtype;
  }
  if (weights) return evaluate(g, tensors, *weights);
  return evaluate(g, tensors, seeded_weight);
}

}  // namespace lmc
