#include "codegen/halves.h"

#include <numeric>
#include <vector>

namespace lmc {
namespace {

std::vector<int> range(int64_t first, int64_t count) {
  std::vector<int> out(static_cast<size_t>(count));
  std::iota(out.begin(), out.end(), static_cast<int>(first));
  return out;
}

}  // namespace

int64_t lanes_of(const llvm::Value* v) {
  return static_cast<int64_t>(llvm::cast<llvm::FixedVectorType>(v->getType())->getNumElements());
}

llvm::Value* low_half(llvm::IRBuilderBase& b, llvm::Value* v) {
  return b.CreateShuffleVector(v, range(0, lanes_of(v) / 2));
}

llvm::Value* high_half(llvm::IRBuilderBase& b, llvm::Value* v) {
  return b.CreateShuffleVector(v, range(lanes_of(v) / 2, lanes_of(v) / 2));
}

llvm::Value* joined(llvm::IRBuilderBase& b, llvm::Value* low, llvm::Value* high) {
  return b.CreateShuffleVector(low, high, range(0, 2 * lanes_of(low)));
}

}  // namespace lmc
