// route and weighted_sum: what stands before and behind the projections of experts.
#include <limits>

#include "codegen/kernels/math.h"
#include "codegen/kernels/row_kernel.h"
#include "ir/op_def.h"

namespace lmc::kernels::experts {
namespace {

struct Choice {
  llvm::Value *score, *index;  // f32, i64
};

// The best of the scores that come behind `last` in the order of falling scores and rising indices. Scores
// that are no numbers are passed over; the index is always that of an expert.
Choice next_best(RowEmitter& e, ValueId scores, const Choice& last) {
  KernelBuilder& k = e.k;
  auto& b = k.ir();
  const int64_t n = e.g.type(scores).last();
  llvm::Value* best = k.variable(k.f32(-std::numeric_limits<double>::infinity()));
  llvm::Value* index = k.variable(k.i64(n));  // none yet
  k.loop(k.i64(0), k.i64(n), 1, [&](llvm::Value* i) {
    llvm::Value* score = e.element(scores, i);
    llvm::Value* behind =
        b.CreateOr(b.CreateFCmpOLT(score, last.score),
                   b.CreateAnd(b.CreateFCmpOEQ(score, last.score), b.CreateICmpSGT(i, last.index)));
    llvm::Value* better =
        b.CreateOr(b.CreateICmpEQ(k.get(index), k.i64(n)), b.CreateFCmpOGT(score, k.get(best)));
    llvm::Value* take = b.CreateAnd(behind, better);
    k.set(best, b.CreateSelect(take, score, k.get(best)));
    k.set(index, b.CreateSelect(take, i, k.get(index)));
  });
  llvm::Value* found = b.CreateICmpSLT(k.get(index), k.i64(n));
  return {k.get(best), b.CreateSelect(found, k.get(index), k.i64(0))};
}

void route(RowEmitter& e, const Op& op) {
  KernelBuilder& k = e.k;
  auto& b = k.ir();
  const ValueId scores = op.operands[0];
  std::vector<Choice> chosen;
  Choice last{k.f32(std::numeric_limits<double>::infinity()), k.i64(-1)};
  for (int64_t j = 0; j < attr_int(op, "k"); ++j) chosen.push_back(last = next_best(e, scores, last));

  llvm::Value* largest = k.splat(chosen[0].score);
  std::vector<llvm::Value*> shares;
  for (const Choice& c : chosen)
    shares.push_back(b.CreateExtractElement(math::exp(k, b.CreateFSub(k.splat(c.score), largest)), k.i64(0)));
  llvm::Value* sum = nullptr;
  if (attr_int(op, "normalise") == 1) {
    for (llvm::Value* share : shares) sum = sum ? b.CreateFAdd(sum, share) : share;
  } else {
    llvm::Value* sums = k.variable(k.splat(0.0));
    e.for_lanes(e.g.type(scores).last(), [&](llvm::Value* i, int64_t n) {
      llvm::Value* share = math::exp(k, b.CreateFSub(e.lanes(scores, k.i64(0), i), largest));
      k.set(sums, b.CreateFAdd(k.get(sums), k.keep_lanes(share, n)));
    });
    sum = k.sum_lanes(k.get(sums));
  }
  for (size_t j = 0; j < chosen.size(); ++j) {
    const auto at = static_cast<int64_t>(4 * j);
    k.store(b.CreateFDiv(shares[j], sum), k.at(e.address(op.results[0]), at), 4);
    k.store(b.CreateTrunc(chosen[j].index, b.getInt32Ty()), k.at(e.address(op.results[1]), at), 4);
  }
}

void weighted_sum(RowEmitter& e, const Op& op) {
  KernelBuilder& k = e.k;
  const ValueId x = op.operands[0];
  const Type& t = e.g.type(x);
  e.for_lanes(t.last(), [&](llvm::Value* i, int64_t n) {
    llvm::Value* sum = nullptr;
    for (int64_t j = 0; j < t.dims[1]; ++j) {
      llvm::Value* weight = k.splat(e.element(op.operands[1], k.i64(j)));
      llvm::Value* row = e.lanes(x, k.i64(j), i);
      sum = sum ? k.fma(weight, row, sum) : k.ir().CreateFMul(weight, row);
    }
    e.store(op.results[0], k.i64(0), i, sum, n);
  });
}

const RegisterRowOp kRoute("route", {nullptr, route});
const RegisterRowOp kWeightedSum("weighted_sum", {nullptr, weighted_sum, true});

}  // namespace
}  // namespace lmc::kernels::experts
