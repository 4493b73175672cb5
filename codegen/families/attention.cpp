// attention and attention_split: one tile per kv head and part of the tokens, or of the cache's chunks.
#include "codegen/kernels/attention.h"

#include <algorithm>

#include "codegen/family.h"
#include "ir/op_def.h"

namespace lmc::families::attention {
namespace {

constexpr int64_t kTokensPerTile = 8;

class AttentionFamily : public KernelFamily {
 public:
  std::string name() const override { return "attention"; }
  std::string doc() const override {
    return "attention over the cache, all query heads of a kv head together; stands alone";
  }
  bool is_core(const Op& op) const override {
    return op.def->name == "attention" || op.def->name == "attention_split";
  }
  bool stands_alone() const override { return true; }

  void check(const KernelSpec& spec) const override {
    const Frame f(spec);
    for (OpId id : f.ops) {
      const Op& op = f.g.op(id);
      if (!is_core(op) || f.ops.size() != 1)
        throw Error(op.loc, op.def->name + " does not fit into a kernel of attention, which stands alone");
      if (op.def->name == "attention_split" && !f.single())
        throw Error(op.loc, "attention_split has a kernel for one token only");
      for (ValueId v : op.operands) {
        if (f.slot(v).sub_row != 0) throw Error(op.loc, op.def->name + " of a split of heads has no kernel");
      }
    }
  }

  void cut(KernelSpec& spec) const override {
    const Op& op = spec.body.op(core_of(spec.body));
    const int64_t kv_heads = cache_shape(spec.body.type(op.operands[1])).heads;
    spec.grain = spec.single() ? 1 : kTokensPerTile;
    const int64_t parts = op.def->name == "attention_split"
                              ? attr_int(op, "splits")
                              : (spec.tokens + kTokensPerTile - 1) / kTokensPerTile;
    spec.tiles = kv_heads * parts;
  }

  void cost(const KernelSpec& spec, StageWork& work) const override {
    const Frame f(spec);
    const Op& op = spec.body.op(core_of(spec.body));
    const Type& q = spec.body.type(op.operands[0]);
    const PlanCache& cache = f.cache(op.operands[1]);
    const int64_t window = attr_int(op, "window");
    AttentionWork& a = work.attention;
    a.flops = 2.0 * static_cast<double>(q.dims[1] * (cache.key_dim + cache.value_dim));
    a.bytes = static_cast<double>(cache.bytes) / static_cast<double>(cache.capacity);
    a.span = window > 0 ? std::min(window, cache.span) : cache.span;
    a.kv_heads = cache.kv_heads;
    a.chunk = op.def->name == "attention_split" ? attr_int(op, "chunk") : 0;
  }

  KernelMemory memory(const KernelSpec& spec) const override {
    const Op& op = spec.body.op(core_of(spec.body));
    return {attention_scratch_bytes(cache_shape(spec.body.type(op.operands[1])).value), 0};
  }

  void emit(KernelBuilder& k, const KernelSpec& spec) const override { emit_attention_kernel(k, spec); }
};

const AttentionFamily kFamily;
const RegisterFamily kRegister(kFamily);

}  // namespace
}  // namespace lmc::families::attention
