// Rows: any mix of elementwise and row ops, one token's row after the other.
#include <algorithm>

#include "codegen/family.h"
#include "codegen/kernels/row_kernel.h"
#include "ir/effects.h"
#include "ir/op_def.h"

namespace lmc::families::row {
namespace {

// A step of few tokens is dealt out to many workers. Of many, 8 stay together: keys of 8 positions lie side
// by side in caches, and workers that write to one line wait for each other.
constexpr int64_t kFewest = 2, kMost = 8;

// A body whose intermediate rows have places in the scratch.
struct RowForm {
  explicit RowForm(const KernelSpec& spec) : frame(spec) {
    for (OpId id : frame.ops) {
      for (ValueId v : frame.g.op(id).results) {
        if (frame.has(v) || !frame.needs_memory(v)) continue;
        frame.place_in_scratch(v, scratch);
        scratch += row_bytes(frame.g.type(v));
      }
    }
  }

  Frame frame;
  int64_t scratch = 0;
};

class RowFamily : public KernelFamily {
 public:
  std::string name() const override { return "row"; }
  std::string doc() const override {
    return "elementwise and row ops in any number, one token's row after the other";
  }

  bool takes_loose(const Op& op) const override { return find_row_op(op.def->name) != nullptr; }

  void check(const KernelSpec& spec) const override {
    const RowForm form(spec);
    for (OpId id : form.frame.ops) {
      const Op& op = form.frame.g.op(id);
      if (!takes_loose(op)) throw Error(op.loc, "there is no row kernel for op " + op.def->name);
      check_sub_rows(form.frame, id);
      check_looks_back(form.frame, op);
    }
  }

  // Tokens run in no order: what one looks back on must be there before.
  static void check_looks_back(const Frame& f, const Op& op) {
    const std::optional<size_t> cache = cache_read(f.g, op);
    if (!cache || f.single() || f.is_input(op.operands[*cache])) return;
    throw Error(op.loc, op.def->name + " reads a cache that the same kernel appends to");
  }

  void cut(KernelSpec& spec) const override {
    spec.grain = spec.single() ? 1 : kMost;
    spec.tiles =
        std::max((spec.tokens + kMost - 1) / kMost, std::min(kMost, (spec.tokens + kFewest - 1) / kFewest));
  }

  KernelMemory memory(const KernelSpec& spec) const override { return {RowForm(spec).scratch, 0}; }

  void emit(KernelBuilder& k, const KernelSpec& spec) const override {
    const RowForm form(spec);
    const Frame& f = form.frame;
    if (f.single()) {
      // The only row; a step may want no rows of logits at all.
      llvm::Value* any = k.ir().CreateICmpSGT(f.over_rows ? k.rows() : k.tokens(), k.i64(0));
      k.if_then(any, [&] { RowEmitter(k, f, k.i64(0)).emit_ops(f.ops); });
    } else {
      llvm::Value* tokens = f.over_rows ? k.rows() : k.tokens();
      llvm::Value* grain = k.ir().CreateUDiv(k.add(tokens, k.i64(kMost - 1)), k.i64(kMost));
      grain = k.min(k.max(grain, k.i64(kFewest)), k.i64(kMost));
      llvm::Value* first = k.ir().CreateMul(k.tile(), grain);
      llvm::Value* end = k.min(k.add(first, grain), tokens);
      k.loop(first, end, 1, [&](llvm::Value* token) { RowEmitter(k, f, token).emit_ops(f.ops); });
    }
    k.finish();
  }
};

const RowFamily kFamily;
const RegisterFamily kRegister(kFamily);

}  // namespace
}  // namespace lmc::families::row
