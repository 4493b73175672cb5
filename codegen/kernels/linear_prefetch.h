// What a tile of a linear asks of memory some time before it needs it, so that enough cache lines are in
// flight to reach the memory limit. Places are counted in groups of weight rows. A core has more requests in
// flight from the second level of its cache than from the first, and on some CPUs (Zen 4) what is asked for
// into the first waits for its turn there, arithmetic with it.
#pragma once

#include <cstdint>
#include <vector>

#include "codegen/kernels/builder.h"
#include "codegen/kernels/linear_form.h"
#include "codegen/weight_layout.h"

namespace lmc {

class LinearPrefetch {
 public:
  struct Tile {
    llvm::Value* first;  // its groups are [first, end)
    llvm::Value* end;
    llvm::Value* has_next;    // i1: is it known what the worker reads next, and of the same matrix?
    llvm::Value* next_first;  // the first group of that
  };

  // `level`: of the cache.
  LinearPrefetch(KernelBuilder& k, const Tile& tile, const LinearForm& form, int64_t level);

  // Streams go through these groups next, the first of them through `group`, which ends at `stream_end`.
  void enter(const std::vector<llvm::Value*>& numbers, llvm::Value* group, llvm::Value* stream_end);
  // What is asked for next lies some way ahead of block number `block` in each stream; past the end of a
  // group, where the stream goes on.
  void aim(const std::vector<GroupPlace>& groups, llvm::Value* block);
  // That block's cache lines in all streams, from a number on up to another.
  void ask(int64_t from = 0, int64_t to = INT64_MAX);
  // Line number `line`, i64, of the first run in a stream.
  void ask(size_t stream, llvm::Value* line);
  // Of a block in the first run.
  int64_t lines() const { return lines(0); }

 private:
  int64_t lines(size_t run) const;

  KernelBuilder& k_;
  Tile tile_;
  const WeightLayout& layout_;
  int64_t cols_, level_;
  const std::vector<WeightLayout::Run> runs_;
  // By run and stream: bytes from the end of the group's run to where the stream goes on.
  std::vector<std::vector<llvm::Value*>> jumps_;
  std::vector<std::vector<llvm::Value*>> aims_;  // addresses, by run and stream
};

}  // namespace lmc
