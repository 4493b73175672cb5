#include "codegen/kernels/argmax.h"

#include <cstddef>
#include <limits>

#include "ir/kernel_abi.h"

namespace lmc {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

Argmax::Argmax(KernelBuilder& k, int64_t outputs) : k_(k) {
  auto& b = k.ir();
  outputs_ = b.CreateVectorSplat(kLanes, k.i64(outputs));
  best_ = k.best();
  wanted_ = b.CreateICmpNE(best_, llvm::ConstantPointerNull::get(b.getPtrTy()));
  value_ = k.variable(k.splat(-kInfinity));
  id_ = k.variable(b.CreateVectorSplat(kLanes, k.i64(std::numeric_limits<int32_t>::max())));
  bad_ = k.variable(b.CreateVectorSplat(kLanes, b.getFalse()));
}

void Argmax::see(llvm::Value* lanes, llvm::Value* column, llvm::Value* allowed) {
  auto& b = k_.ir();
  llvm::Value* ids = b.CreateAdd(b.CreateVectorSplat(kLanes, column), k_.lane_ids());
  llvm::Value* counts = b.CreateAnd(b.CreateICmpSLT(ids, outputs_), allowed);
  llvm::Value* bad = b.CreateFCmpUGE(lanes, k_.splat(kInfinity));  // or unordered: NaN
  k_.set(bad_, b.CreateOr(k_.get(bad_), b.CreateAnd(bad, counts)));
  llvm::Value* earlier = b.CreateICmpSLT(ids, k_.get(id_));
  llvm::Value* equal = b.CreateAnd(b.CreateFCmpOEQ(lanes, k_.get(value_)), earlier);
  llvm::Value* better = b.CreateAnd(b.CreateOr(b.CreateFCmpOGT(lanes, k_.get(value_)), equal), counts);
  k_.set(value_, b.CreateSelect(better, lanes, k_.get(value_)));
  k_.set(id_, b.CreateSelect(better, ids, k_.get(id_)));
}

void Argmax::finish() {
  auto& b = k_.ir();
  k_.if_then(wanted_, [&] {
    llvm::Value* value = nullptr;
    llvm::Value* id = nullptr;
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      llvm::Value* v = b.CreateExtractElement(k_.get(value_), k_.i64(lane));
      llvm::Value* i = b.CreateExtractElement(k_.get(id_), k_.i64(lane));
      if (!value) {
        value = v;
        id = i;
        continue;
      }
      llvm::Value* equal = b.CreateAnd(b.CreateFCmpOEQ(v, value), b.CreateICmpSLT(i, id));
      llvm::Value* better = b.CreateOr(b.CreateFCmpOGT(v, value), equal);
      value = b.CreateSelect(better, v, value);
      id = b.CreateSelect(better, i, id);
    }
    value = b.CreateSelect(b.CreateOrReduce(k_.get(bad_)), k_.f32(std::numeric_limits<double>::quiet_NaN()),
                           value);
    llvm::Value* at = k_.at(best_, k_.mul(k_.tile(), int64_t{sizeof(TileArgmax)}));
    k_.store(value, k_.at(at, int64_t{offsetof(TileArgmax, value)}), 4);
    k_.store(b.CreateTrunc(id, b.getInt32Ty()), k_.at(at, int64_t{offsetof(TileArgmax, id)}), 4);
  });
}

}  // namespace lmc
