#include "codegen/kernels/allowed_rows.h"

namespace lmc {
namespace {

// One stream per core reads about 0.7 of what four do (codegen/PERFORMANCE.md).
constexpr int64_t kNeeded = 5, kOf = 8;

}  // namespace

AllowedRows::AllowedRows(KernelBuilder& k, int64_t group_rows)
    : k_(k), group_rows_(group_rows), set_(k.allowed()), all_(k.ir().CreateIsNull(set_)) {}

void AllowedRows::if_any(llvm::Value* group, int64_t width, const std::function<void()>& body) {
  k_.if_then(any(group, width), body);
}

llvm::Value* AllowedRows::any(llvm::Value* group, int64_t width) {
  return k_.ir().CreateIsNotNull(bits(k_.mul(group, group_rows_), width * group_rows_));
}

// As an integer of `count` bits, a multiple of 8; all of them where everything is allowed.
llvm::Value* AllowedRows::bits(llvm::Value* column, int64_t count) {
  auto& b = k_.ir();
  llvm::Type* type = b.getIntNTy(static_cast<unsigned>(count));
  // There is always something to load, so that this is no branch.
  llvm::Value* from = b.CreateSelect(all_, k_.scratch(), k_.at(set_, b.CreateLShr(column, 3)));
  return b.CreateSelect(all_, llvm::Constant::getAllOnesValue(type), k_.load(type, from));
}

llvm::Value* AllowedRows::sparse(llvm::Value* first, llvm::Value* end) {
  auto& b = k_.ir();
  llvm::Value* sparse = k_.variable(b.getFalse());
  k_.if_then(b.CreateNot(all_), [&] {
    llvm::Value* needed = k_.variable(k_.i64(0));
    k_.loop(first, end, 1, [&](llvm::Value* group) {
      k_.set(needed, k_.add(k_.get(needed), b.CreateZExt(any(group, 1), b.getInt64Ty())));
    });
    llvm::Value* share = k_.mul(b.CreateSub(end, first), kNeeded);
    k_.set(sparse, b.CreateICmpSLT(k_.mul(k_.get(needed), kOf), share));
  });
  return k_.get(sparse);
}

llvm::Value* AllowedRows::eight(llvm::Value* column) {
  auto& b = k_.ir();
  return b.CreateBitCast(bits(column, kLanes), k_.vector(b.getInt1Ty(), kLanes));
}

}  // namespace lmc
