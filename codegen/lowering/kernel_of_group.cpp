#include "codegen/lowering/kernel_of_group.h"

#include <algorithm>

#include "codegen/attention_chunks.h"
#include "codegen/frame.h"
#include "codegen/packed_form.h"
#include "ir/cache_layout.h"
#include "ir/effects.h"
#include "ir/op_def.h"
#include "ir/round_up.h"

namespace lmc {
namespace {

static_assert(kAttentionChunk % kCachePage == 0, "chunks are whole pages");

PlanCache cache_of(const Value& v, int64_t block) {
  PlanCache c;
  c.name = v.name;
  c.dtype = v.type.dtype;
  const CacheShape shape = cache_shape(v.type);
  c.span = shape.span;
  c.kv_heads = shape.heads;
  c.key_dim = shape.key;
  c.value_dim = shape.value;
  // The oldest token of a step still sees its whole window when the newest is written. States are made in
  // order.
  c.capacity = c.dtype == DType::state_f32 ? kStatesKept : round_up(c.span + block - 1, kCachePage);
  c.bytes = CacheLayout(c).bytes;
  return c;
}

}  // namespace

GroupKernels::GroupKernels(const Graph& g, int64_t block) : g_(g), only_(weight_only(g)) {
  for (ValueId v : g.inputs()) {
    if (!is_kv(g.type(v).dtype) || g.value(v).uses.empty()) continue;
    cache_index_[v] = static_cast<int64_t>(caches_.size());
    caches_.push_back(cache_of(g.value(v), block));
  }
}

KernelOperand GroupKernels::operand(ValueId v) const {
  const Type& type = g_.type(v);
  KernelOperand o;
  o.layout = dtype_name(type.dtype);
  if (only_[v]) {
    if (!packed_weight(g_, v).valid())
      throw Error("weight " + g_.value(v).name + " of graph @" + g_.name +
                  " has no layout: it is not packed");
    o.space = Space::weight;
    o.layout = attr_string(*g_.def_op(v), "layout");
  } else if (is_kv(type.dtype)) {
    o.space = Space::kv;
    o.layout = "kv";
    o.cache = caches_[static_cast<size_t>(cache_index_.at(memory_of(g_, v)))];
  } else if (g_.value(v).kind == ValueKind::input) {
    step_input(g_, v);
    o.space = Space::input;
    o.stride = 4;
  } else if (v == logits()) {
    o.space = Space::output;
    o.stride = type.last() * 4;
  } else {
    o.stride = row_bytes(type);
  }
  return o;
}

GroupKernel GroupKernels::of(OpId id) const {
  const Op& group = g_.op(id);
  if (!group.body || attr_string(group, "kernel").empty())
    throw Error(group.loc, group.def->name + " %" + g_.value(g_.result(id)).name +
                               " is no kernel: the graph is not lowered");
  GroupKernel out;
  KernelSpec& spec = out.spec;
  spec.family = attr_string(group, "kernel");
  spec.body = group.body->clone();
  spec.tokens = attr_int(group, "tokens");
  spec.tiles = attr_int(group, "tiles");
  spec.grain = attr_int(group, "grain");
  spec.prefetch = attr_int(group, "prefetch");
  const auto add = [&](ValueId v) {
    const ValueId memory = is_kv(g_.type(v).dtype) ? memory_of(g_, v) : v;
    const auto known = std::find(out.values.begin(), out.values.end(), memory);
    if (known != out.values.end()) return static_cast<int>(known - out.values.begin());
    spec.operands.push_back(operand(memory));
    out.values.push_back(memory);
    return static_cast<int>(out.values.size()) - 1;
  };
  for (ValueId v : group.operands) spec.inputs.push_back(add(v));
  for (ValueId v : group.results) spec.outputs.push_back(add(v));
  return out;
}

StepInput step_input(const Graph& g, ValueId v) {
  const std::string& name = g.value(v).name;
  if (name == "tokens") return StepInput::tokens;
  if (name == "pos") return StepInput::pos;
  if (name == "out_rows") return StepInput::out_rows;
  if (name == "length") return StepInput::length;
  throw Error("input %" + name + " is none of tokens, pos, out_rows and length");
}

}  // namespace lmc
