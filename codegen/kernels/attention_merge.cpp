#include "codegen/kernels/attention_merge.h"

#include "codegen/kernels/math.h"
#include "codegen/kernels/row_kernel.h"
#include "ir/op_def.h"

namespace lmc {

MergeFactors merge_factors(KernelBuilder& k, llvm::Value* before, llvm::Value* chunk) {
  auto& b = k.ir();
  MergeFactors f;
  f.maximum = b.CreateSelect(b.CreateFCmpOGT(chunk, before), chunk, before);
  f.fade = math::exp(k, k.splat(b.CreateFSub(before, f.maximum)));
  f.gain = math::exp(k, k.splat(b.CreateFSub(chunk, f.maximum)));
  f.fade_scalar = b.CreateExtractElement(f.fade, k.i64(0));
  f.gain_scalar = b.CreateExtractElement(f.gain, k.i64(0));
  return f;
}

llvm::Value* merge(KernelBuilder& k, llvm::Value* before, llvm::Value* chunk, llvm::Value* fade,
                   llvm::Value* gain) {
  return k.fma(chunk, gain, k.ir().CreateFMul(before, fade));
}

namespace {

// attention_merge: the chunks of each head in order, then the division by the sum.
void attention_merge(RowEmitter& e, const Op& op) {
  KernelBuilder& k = e.k;
  auto& b = k.ir();
  const int64_t heads = attr_int(op, "heads");
  const int64_t dim = e.g.type(op.results[0]).last() / heads;
  const AttentionPartials p(e.g.type(op.operands[0]), dim);
  const int64_t window = attr_int(op, "window");
  llvm::Value* pos = b.CreateSExt(k.load(b.getInt32Ty(), e.address(op.operands[1]), 4), b.getInt64Ty());
  llvm::Value* oldest = window > 0 ? k.max(k.i64(0), k.add(pos, k.i64(1 - window))) : k.i64(0);
  llvm::Value* chunks = k.add(
      b.CreateSub(b.CreateUDiv(pos, k.i64(kAttentionChunk)), b.CreateUDiv(oldest, k.i64(kAttentionChunk))),
      k.i64(1));
  k.loop(k.i64(0), k.i64(heads), 1, [&](llvm::Value* head) {
    llvm::Value* partials = k.at(e.address(op.operands[0]), k.mul(head, p.chunks * p.bytes));
    llvm::Value* out = k.at(e.address(op.results[0]), k.mul(head, dim * 4));
    const auto accumulated = [&](llvm::Value* j) { return k.load(k.floats(), k.at(out, k.mul(j, 4)), 4); };
    // The row is the accumulator; heads follow each other, so a partial last vector waits for the next head.
    e.for_lanes(dim,
                [&](llvm::Value* j, int64_t n) { k.store_lanes(k.splat(0.0), k.at(out, k.mul(j, 4)), n); });
    const bool sinks = op.operands.size() > 2;
    llvm::Value* maximum = k.variable(sinks ? e.element(op.operands[2], head) : k.f32(kNothing));
    llvm::Value* sum = k.variable(k.f32(sinks ? 1 : 0));
    k.loop(k.i64(0), chunks, 1, [&](llvm::Value* c) {
      llvm::Value* chunk = k.at(partials, k.mul(c, p.bytes));
      const MergeFactors f = merge_factors(k, k.get(maximum), k.load(b.getFloatTy(), chunk, 4));
      k.set(maximum, f.maximum);
      k.set(sum,
            merge(k, k.get(sum), k.load(b.getFloatTy(), k.at(chunk, 4), 4), f.fade_scalar, f.gain_scalar));
      e.for_lanes(dim, [&](llvm::Value* j, int64_t n) {
        llvm::Value* values =
            k.load(k.floats(), k.at(chunk, k.add(k.mul(j, 4), k.i64(AttentionPartials::kHeader))), 4);
        k.store_lanes(merge(k, accumulated(j), values, f.fade, f.gain), k.at(out, k.mul(j, 4)), n);
      });
    });
    llvm::Value* inverse = k.splat(b.CreateFDiv(k.f32(1), k.get(sum)));
    e.for_lanes(dim, [&](llvm::Value* j, int64_t n) {
      k.store_lanes(b.CreateFMul(accumulated(j), inverse), k.at(out, k.mul(j, 4)), n);
    });
  });
}

const RegisterRowOp kOp("attention_merge", {nullptr, attention_merge});

}  // namespace
}  // namespace lmc
