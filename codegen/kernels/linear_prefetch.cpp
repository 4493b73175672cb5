#include "codegen/kernels/linear_prefetch.h"

#include <algorithm>

#include "codegen/kernels/linear.h"

namespace lmc {
namespace {

constexpr int64_t kLine = 64;
constexpr int64_t kAhead = 2304;  // bytes ahead in a stream; 1.3 to 2.7 KB measured alike, 8 loses a tenth

}  // namespace

LinearPrefetch::LinearPrefetch(KernelBuilder& k, const Tile& tile, int64_t group_bytes, int64_t parts,
                               int64_t groups)
    : k_(k), tile_(tile), group_bytes_(group_bytes), parts_(parts), groups_(groups) {}

llvm::Value* LinearPrefetch::stream_jump(llvm::Value* group, llvm::Value* stream_end) {
  auto& b = k_.ir();
  llvm::Value* follows = k_.add(group, k_.i64(1));
  llvm::Value* next_tile = b.CreateSelect(tile_.has_next, tile_.next_first, group);
  llvm::Value* target = b.CreateSelect(b.CreateICmpSGE(follows, stream_end), next_tile, follows);
  return k_.mul(b.CreateSub(target, follows), group_bytes_);
}

llvm::Value* LinearPrefetch::block_jump(llvm::Value* group, int64_t width, int64_t part) {
  auto& b = k_.ir();
  if (part + 1 < parts_) return k_.i64((groups_ - 1) * group_bytes_);
  const int64_t back = part * groups_ + 1;  // groups from the end of this one to the start of the first
  llvm::Value* here = k_.add(group, k_.i64(back));
  llvm::Value* next_tile = b.CreateSelect(tile_.has_next, tile_.next_first, group);
  llvm::Value* follows = k_.add(group, k_.i64(width));
  llvm::Value* target = b.CreateSelect(b.CreateICmpSGE(follows, tile_.end), next_tile, follows);
  return k_.mul(b.CreateSub(target, here), group_bytes_);
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

void LinearPrefetch::next_groups(const std::vector<llvm::Value*>& groups, llvm::Value* row, llvm::Value* rows,
                                 llvm::Value* offset, int64_t bytes, llvm::Value* jump) {
  auto& b = k_.ir();
  for (llvm::Value* group : groups) {
    llvm::Value* next = k_.add(jump, k_.i64(group_bytes_));
    k_.if_then(b.CreateICmpSLE(rows, k_.i64(2 * kRowBlock)), [&] {
      llvm::Value* here = k_.at(group, k_.add(next, offset));
      for (int64_t line = 0; line < bytes; line += kLine) k_.prefetch(k_.at(here, line));
    });
    const int64_t eighth = (group_bytes_ / 8 + kLine - 1) / kLine * kLine;
    llvm::Value* ahead =
        k_.add(k_.mul(b.CreateUDiv(row, k_.i64(kRowBlock)), eighth), b.CreateLShr(offset, 3));
    k_.prefetch(k_.at(group, k_.add(next, ahead)));
  }
}

}  // namespace lmc
