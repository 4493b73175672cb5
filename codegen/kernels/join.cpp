// join: the parts of each sub-row, one behind the other.
#include "codegen/kernels/row_kernel.h"

namespace lmc::kernels::join {
namespace {

void join(RowEmitter& e, const Op& op) {
  KernelBuilder& k = e.k;
  const Type& y = e.g.type(op.results[0]);
  k.loop(k.i64(0), k.i64(RowEmitter::sub_rows(y)), 1, [&](llvm::Value* outer) {
    int64_t start = 0;
    for (ValueId part : op.operands) {
      const Type& t = e.g.type(part);
      llvm::Value* head = RowEmitter::sub_rows(t) == 1 ? k.i64(0) : outer;
      e.for_wide_lanes(t.last(), [&](llvm::Value* i, int64_t n) {
        e.store(op.results[0], outer, k.add(i, k.i64(start)), e.lanes(part, head, i), n);
      });
      start += t.last();
    }
  });
}

const RegisterRowOp kJoin("join", {nullptr, join, true});

}  // namespace
}  // namespace lmc::kernels::join
