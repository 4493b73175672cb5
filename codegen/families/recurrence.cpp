// linear_recurrence: one tile per head, or per block of columns where there are few heads. Tokens of a step
// go through a tile one after the other.
#include "codegen/kernels/recurrence.h"

#include "codegen/family.h"
#include "ir/op_def.h"

namespace lmc::families::recurrence {
namespace {

class RecurrenceFamily : public KernelFamily {
 public:
  std::string name() const override { return "recurrence"; }
  std::string doc() const override {
    return "a state that each token fades and adds to, head by head; stands alone";
  }
  bool is_core(const Op& op) const override { return op.def->name == "linear_recurrence"; }
  bool stands_alone() const override { return true; }

  void check(const KernelSpec& spec) const override {
    const Frame f(spec);
    for (OpId id : f.ops) {
      const Op& op = f.g.op(id);
      if (!is_core(op) || f.ops.size() != 1)
        throw Error(op.loc, op.def->name + " does not fit into a kernel of recurrence, which stands alone");
      if (!f.has(op.results[1])) throw Error(op.loc, "nobody reads what the recurrence makes");
    }
  }

  void cut(KernelSpec& spec) const override {
    const Type& v = values(spec);
    spec.grain = 1;
    spec.tiles = recurrence_tiles(v.dims[1], v.last());
  }

  // Of a token: the state is read, and written elsewhere.
  void cost(const KernelSpec& spec, StageWork& work) const override {
    const Frame f(spec);
    const PlanCache& cache = f.cache(spec.body.op(core_of(spec.body)).operands[0]);
    work.attention.flops = op_cost(spec.body, core_of(spec.body)).flops;
    work.attention.bytes = 2 * static_cast<double>(cache.bytes) / static_cast<double>(cache.capacity);
    work.attention.span = 1;
    work.attention.kv_heads = cache.kv_heads;
  }

  KernelMemory memory(const KernelSpec&) const override { return {}; }

  void emit(KernelBuilder& k, const KernelSpec& spec) const override { emit_recurrence_kernel(k, spec); }

 private:
  const Type& values(const KernelSpec& spec) const {
    return spec.body.type(spec.body.op(core_of(spec.body)).operands[3]);
  }
};

const RecurrenceFamily kFamily;
const RegisterFamily kRegister(kFamily);

}  // namespace
}  // namespace lmc::families::recurrence
