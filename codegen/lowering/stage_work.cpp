#include <algorithm>

#include "codegen/family.h"
#include "codegen/frame.h"
#include "codegen/lowering/planner.h"
#include "ir/effects.h"
#include "ir/op_def.h"

namespace lmc {
namespace {

// What the group was called, its role and shapes.
void describe_core(const Frame& f, OpId core, StageWork& out) {
  const Op& op = f.g.op(core);
  out.core = op.def->name;
  if (op.attrs.contains("role")) out.role = attr_string(op, "role");
  const std::optional<size_t> cache = cache_read(f.g, op);
  out.input = f.g.type(op.operands[cache == size_t{0} ? 1 : 0]).dims;
  // Of what has queries in front of its cache.
  if (cache.value_or(0) > 0) out.heads = f.g.type(op.operands[0]).dims[1];
  if (op.def->category == OpCategory::contraction) {
    out.weight = f.g.type(op.operands[1]).dims;
    out.format = f.g.type(op.operands[1]).dtype;
  }
}

}  // namespace

StageWork work_of(const KernelSpec& spec) {
  const Frame f(spec);
  const OpId core = find_family(spec.family).core_of(spec.body);
  StageWork out;
  out.family = spec.family;
  out.over_rows = f.over_rows;
  if (core.valid()) describe_core(f, core, out);
  bool behind = false;
  for (OpId id : f.ops) {
    if (id == core) {
      behind = true;
    } else {
      (behind ? out.behind : out.ahead).push_back(f.g.op(id).def->name);
    }
  }
  const auto list = [&](OpId id) {
    const int32_t source = f.g.op(id).source;
    if (source >= 0 && std::find(out.ops.begin(), out.ops.end(), source) == out.ops.end())
      out.ops.push_back(source);
  };
  if (core.valid()) list(core);
  for (OpId id : f.ops) {
    out.flops += op_cost(f.g, id).flops;
    list(id);
  }
  find_family(spec.family).cost(spec, out);
  return out;
}

}  // namespace lmc
