#include "ir/eval.h"

#include "ir/op_def.h"

namespace lmc {
namespace {

// Symbolic dimensions bound by the inputs.
struct Bindings {
  int64_t t = -1;
  int64_t r = -1;

  void bind(int64_t symbol, int64_t n, const std::string& input) {
    int64_t& bound = symbol == kDimT ? t : r;
    require(bound < 0 || bound == n, "input %" + input + " makes " + dim_name(symbol) + " = " +
                                         std::to_string(n) + ", another input made it " +
                                         std::to_string(bound));
    bound = n;
  }
};

Tensor input_tensor(const Graph& g, ValueId v, const TensorMap& inputs, Bindings& bound) {
  const Value& value = g.value(v);
  const auto it = inputs.find(value.name);
  if (is_kv(value.type.dtype)) {
    if (it != inputs.end()) return it->second;
    const CacheShape shape = cache_shape(value.type);
    return make_tensor(value.type.dtype, {0, shape.heads, shape.key + shape.value});
  }
  require(it != inputs.end(), "input %" + value.name + " is missing");
  const Tensor& t = it->second;
  require(t.dims.size() == value.type.dims.size(), "input %" + value.name + " has the wrong rank");
  for (size_t i = 0; i < t.dims.size(); ++i) {
    if (value.type.dims[i] < 0) {
      bound.bind(value.type.dims[i], t.dims[i], value.name);
    } else {
      require(t.dims[i] == value.type.dims[i], "input %" + value.name + " does not fit " + value.type.str());
    }
  }
  return t;
}

}  // namespace

Tensor make_tensor(DType dtype, std::vector<int64_t> dims) {
  int64_t n = 1;
  for (int64_t d : dims) n *= d;
  return {dtype, std::move(dims), std::vector<double>(static_cast<size_t>(n), 0.0)};
}

std::vector<Tensor> evaluate(const Graph& g, const TensorMap& inputs,
                             const std::function<Tensor(const std::string&, const Type&)>& weight) {
  SideTable<ValueId, Tensor> values(g.num_value_ids());
  SideTable<ValueId, size_t> readers(g.num_value_ids(), 0);
  Bindings bound;
  for (uint32_t i = 0; i < g.num_value_ids(); ++i) readers[ValueId{i}] = g.value(ValueId{i}).uses.size();
  for (ValueId v : g.outputs()) ++readers[v];
  for (ValueId v : g.inputs()) values[v] = input_tensor(g, v, inputs, bound);

  SideTable<ValueId, char> loaded(g.num_value_ids(), 0);
  const auto load = [&](ValueId v) {
    if (g.value(v).kind != ValueKind::weight || loaded[v]) return;
    values[v] = weight(g.value(v).name, g.type(v));
    loaded[v] = 1;
  };
  for (OpId id : topo_order(g)) {
    const Op& op = g.op(id);
    std::vector<const Tensor*> in;
    for (ValueId v : op.operands) {
      load(v);
      in.push_back(&values[v]);
    }
    std::vector<Type> types;
    for (ValueId v : op.results) types.push_back(g.type(v));
    std::vector<Tensor> out;
    try {
      out = op.def->eval({in, op.attrs, types, op.body.get()});
    } catch (const Error& e) {
      throw Error(op.loc, op.def->name + ": " + e.what());
    }
    for (size_t i = 0; i < op.results.size(); ++i) values[op.results[i]] = std::move(out[i]);
    for (ValueId v : op.operands) {
      if (--readers[v] == 0) values[v] = Tensor();
    }
  }
  std::vector<Tensor> outputs;
  for (ValueId v : g.outputs()) {
    load(v);
    outputs.push_back(values[v]);
  }
  return outputs;
}

std::vector<Tensor> evaluate(const Graph& g, const TensorMap& inputs, const WeightSource& weights) {
  return evaluate(g, inputs, [&](const std::string& name, const Type& type) {
    std::vector<float> numbers(static_cast<size_t>(type.elements()));
    weights.read(name, 0, numbers);
    Tensor t = make_tensor(type.dtype, type.dims);
    std::copy(numbers.begin(), numbers.end(), t.data.begin());
    return t;
  });
}

TensorMap step_inputs(const std::vector<int32_t>& ids, bool all_rows) {
  const auto n = static_cast<int64_t>(ids.size());
  TensorMap out;
  out["tokens"] = {DType::i32, {n}, {ids.begin(), ids.end()}};
  Tensor pos = make_tensor(DType::i32, {n});
  for (int64_t i = 0; i < n; ++i) pos.data[static_cast<size_t>(i)] = static_cast<double>(i);
  out["length"] = {DType::i32, {n}, std::vector<double>(ids.size(), static_cast<double>(n))};
  out["out_rows"] = all_rows ? pos : Tensor{DType::i32, {1}, {static_cast<double>(n - 1)}};
  out["pos"] = std::move(pos);
  return out;
}

}  // namespace lmc
