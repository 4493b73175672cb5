#include "codegen/kernels/argmax.h"

#include <cstddef>
#include <limits>

#include "ir/kernel_abi.h"

namespace lmc {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int64_t kValueBytes = kLanes * 4, kIdBytes = kLanes * 8;

}  // namespace

Argmax::Argmax(KernelBuilder& k, int64_t outputs, int64_t most_rows) : k_(k) {
  auto& b = k.ir();
  outputs_ = b.CreateVectorSplat(kLanes, k.i64(outputs));
  best_ = k.best();
  wanted_ = b.CreateICmpNE(best_, llvm::ConstantPointerNull::get(b.getPtrTy()));
  rows_ = k.buffer(most_rows * (kValueBytes + kIdBytes), kValueBytes);
}

Argmax::Seen Argmax::seen(llvm::Value* row) {
  llvm::Value* at = k_.at(rows_, k_.mul(row, kValueBytes + kIdBytes));
  return {at, k_.at(at, kValueBytes)};
}

void Argmax::start(llvm::Value* row) {
  const Seen at = seen(row);
  k_.store(k_.splat(-kInfinity), at.values, kValueBytes);
  k_.store(k_.splat(k_.i64(std::numeric_limits<int32_t>::max()), kLanes), at.ids, kValueBytes);
}

// What is no finite number and no -inf counts as +inf, which finish() tells as NaN.
void Argmax::see(llvm::Value* row, llvm::Value* lanes, llvm::Value* column, llvm::Value* allowed) {
  auto& b = k_.ir();
  const Seen at = seen(row);
  llvm::Value* values = k_.load(lanes->getType(), at.values, kValueBytes);
  llvm::Value* known = k_.load(k_.vector(b.getInt64Ty(), kLanes), at.ids, kValueBytes);
  llvm::Value* ids = b.CreateAdd(b.CreateVectorSplat(kLanes, column), k_.lane_ids());
  llvm::Value* counts = b.CreateAnd(b.CreateICmpSLT(ids, outputs_), allowed);
  llvm::Value* bad = b.CreateFCmpUGE(lanes, k_.splat(kInfinity));  // or unordered: NaN
  llvm::Value* seen = b.CreateSelect(bad, k_.splat(kInfinity), lanes);
  llvm::Value* equal = b.CreateAnd(b.CreateFCmpOEQ(seen, values), b.CreateICmpSLT(ids, known));
  llvm::Value* better = b.CreateAnd(b.CreateOr(b.CreateFCmpOGT(seen, values), equal), counts);
  k_.store(b.CreateSelect(better, seen, values), at.values, kValueBytes);
  k_.store(b.CreateSelect(better, ids, known), at.ids, kValueBytes);
}

void Argmax::finish(llvm::Value* row, llvm::Value* number, int64_t tiles) {
  auto& b = k_.ir();
  const Seen at = seen(row);
  llvm::Value* values = k_.load(k_.floats(), at.values, kValueBytes);
  llvm::Value* ids = k_.load(k_.vector(b.getInt64Ty(), kLanes), at.ids, kValueBytes);
  llvm::Value* value = b.CreateExtractElement(values, k_.i64(0));
  llvm::Value* id = b.CreateExtractElement(ids, k_.i64(0));
  for (int64_t lane = 1; lane < kLanes; ++lane) {
    llvm::Value* v = b.CreateExtractElement(values, k_.i64(lane));
    llvm::Value* i = b.CreateExtractElement(ids, k_.i64(lane));
    llvm::Value* equal = b.CreateAnd(b.CreateFCmpOEQ(v, value), b.CreateICmpSLT(i, id));
    llvm::Value* better = b.CreateOr(b.CreateFCmpOGT(v, value), equal);
    value = b.CreateSelect(better, v, value);
    id = b.CreateSelect(better, i, id);
  }
  value = b.CreateSelect(b.CreateFCmpOEQ(value, k_.f32(kInfinity)),
                         k_.f32(std::numeric_limits<double>::quiet_NaN()), value);
  llvm::Value* index = k_.add(k_.mul(number, tiles), k_.tile());
  llvm::Value* to = k_.at(best_, k_.mul(index, int64_t{sizeof(TileArgmax)}));
  k_.store(value, k_.at(to, int64_t{offsetof(TileArgmax, value)}), 4);
  k_.store(b.CreateTrunc(id, b.getInt32Ty()), k_.at(to, int64_t{offsetof(TileArgmax, id)}), 4);
}

}  // namespace lmc
