#include "codegen/kernels/linear_prefetch.h"

#include <algorithm>

namespace lmc {
namespace {

constexpr int64_t kLine = 64;
constexpr int64_t kAhead = 2304;  // bytes ahead in a stream; 1.3 to 2.7 KB measured alike, 8 loses a tenth

}  // namespace

LinearPrefetch::LinearPrefetch(KernelBuilder& k, const Tile& tile, int64_t group_bytes)
    : k_(k), tile_(tile), group_bytes_(group_bytes) {}

llvm::Value* LinearPrefetch::stream_jump(llvm::Value* group, llvm::Value* stream_end) {
  auto& b = k_.ir();
  llvm::Value* follows = k_.add(group, k_.i64(1));
  llvm::Value* next_tile = b.CreateSelect(tile_.has_next, tile_.next_first, group);
  llvm::Value* target = b.CreateSelect(b.CreateICmpSGE(follows, stream_end), next_tile, follows);
  return k_.mul(b.CreateSub(target, follows), group_bytes_);
}

void LinearPrefetch::stream(const std::vector<llvm::Value*>& groups, llvm::Value* offset, int64_t bytes,
                            llvm::Value* jump) {
  auto& b = k_.ir();
  const int64_t ahead = std::min(kAhead / bytes * bytes, group_bytes_);
  llvm::Value* beyond = b.CreateICmpSGE(offset, k_.i64(group_bytes_ - ahead));
  llvm::Value* there = k_.add(k_.add(offset, k_.i64(ahead)), b.CreateSelect(beyond, jump, k_.i64(0)));
  for (llvm::Value* group : groups) {
    for (int64_t line = 0; line < bytes; line += kLine) k_.prefetch(k_.at(k_.at(group, there), line));
  }
}

}  // namespace lmc
