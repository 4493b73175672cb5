#include "codegen/kernels/linear_prefetch.h"

#include <algorithm>

namespace lmc {
namespace {

constexpr int64_t kLine = 64;
constexpr int64_t kAhead = 2304;  // bytes ahead in a stream; 1.3 to 2.7 KB measured alike, 8 loses a tenth

}  // namespace

LinearPrefetch::LinearPrefetch(KernelBuilder& k, const Tile& tile, const LinearForm& form, int64_t level)
    : k_(k),
      tile_(tile),
      layout_(*form.layout),
      cols_(form.cols),
      level_(level),
      runs_(layout_.runs(cols_)) {}

// It goes on right there, or, behind its end, in what the worker reads next. If that is not known, back to
// what is in cache already.
void LinearPrefetch::enter(const std::vector<llvm::Value*>& numbers, llvm::Value* group,
                           llvm::Value* stream_end) {
  auto& b = k_.ir();
  llvm::Value* follows = k_.add(group, k_.i64(1));
  llvm::Value* next_tile = b.CreateSelect(tile_.has_next, tile_.next_first, group);
  llvm::Value* target = b.CreateSelect(b.CreateICmpSGE(follows, stream_end), next_tile, follows);
  jumps_.clear();
  if (layout_.slab_groups() == 1) {  // the same in all streams
    llvm::Value* jump = k_.mul(b.CreateSub(target, follows), layout_.group_bytes(cols_));
    jumps_.emplace_back(numbers.size(), jump);
    return;
  }
  llvm::Value* moved = b.CreateSub(target, group);
  for (size_t r = 0; r < runs_.size(); ++r) {
    const auto end = [&](llvm::Value* number) {
      return k_.add(layout_.run_offset(k_, cols_, number, r), k_.i64(runs_[r].bytes));
    };
    auto& jumps = jumps_.emplace_back();
    for (llvm::Value* number : numbers) {
      llvm::Value* next = layout_.run_offset(k_, cols_, k_.add(number, moved), r);
      jumps.push_back(b.CreateSub(next, end(number)));
    }
  }
}

void LinearPrefetch::aim(const std::vector<GroupPlace>& groups, llvm::Value* block) {
  auto& b = k_.ir();
  aims_.clear();
  for (size_t r = 0; r < runs_.size(); ++r) {
    const WeightLayout::Run& run = runs_[r];
    llvm::Value* offset = r == 0 ? layout_.block_offset(k_, block) : k_.mul(block, run.block_bytes);
    const int64_t ahead = std::min(kAhead / run.block_bytes * run.block_bytes, run.bytes);
    llvm::Value* beyond = b.CreateICmpSGE(offset, k_.i64(run.bytes - ahead));
    llvm::Value* there = k_.add(offset, k_.i64(ahead));
    auto& aims = aims_.emplace_back();
    for (size_t i = 0; i < groups.size(); ++i) {
      llvm::Value* at = k_.add(there, b.CreateSelect(beyond, jumps_[r][i], k_.i64(0)));
      aims.push_back(k_.at(r == 0 ? groups[i].first : groups[i].second, at));
    }
  }
}

void LinearPrefetch::ask(int64_t from, int64_t to) {
  for (size_t r = 0; r < runs_.size(); ++r) {
    for (llvm::Value* aim : aims_[r]) {
      for (int64_t line = from; line < std::min(to, lines(r)); ++line)
        k_.prefetch(k_.at(aim, line * kLine), level_);
    }
  }
}

void LinearPrefetch::ask(size_t stream, llvm::Value* line) {
  k_.prefetch(k_.at(aims_[0][stream], k_.mul(line, kLine)), level_);
}

int64_t LinearPrefetch::lines(size_t run) const { return (runs_[run].block_bytes + kLine - 1) / kLine; }

}  // namespace lmc
