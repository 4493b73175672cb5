// What a tile of a linear asks of memory some time before it needs it, so that enough cache lines are in
// flight to reach the memory limit. Places are counted in groups of weight rows.
#pragma once

#include <vector>

#include "codegen/kernels/builder.h"

namespace lmc {

class LinearPrefetch {
 public:
  struct Tile {
    llvm::Value* first;  // its groups are [first, end)
    llvm::Value* end;
    llvm::Value* has_next;    // i1: is it known what the worker reads next, and of the same matrix?
    llvm::Value* next_first;  // the first group of that
  };

  LinearPrefetch(KernelBuilder& k, const Tile& tile, int64_t group_bytes);

  // Bytes from the end of a stream's group to where it goes on: right there, or, behind `stream_end`, in what
  // the worker reads next. If that is not known, back to what is in cache already.
  llvm::Value* stream_jump(llvm::Value* group, llvm::Value* stream_end);

  // Some way ahead of `offset` in each stream; past the end of a group, where the stream goes on.
  void stream(const std::vector<llvm::Value*>& groups, llvm::Value* offset, int64_t bytes, llvm::Value* jump);

 private:
  KernelBuilder& k_;
  Tile tile_;
  int64_t group_bytes_;
};

}  // namespace lmc
