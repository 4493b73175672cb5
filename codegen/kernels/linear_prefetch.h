// What a tile of a linear asks of memory some time before it needs it, so that enough cache lines are in
// flight to reach the memory limit. Places are counted in groups of weight rows.
#pragma once

#include <vector>

#include "codegen/kernels/builder.h"

namespace lmc {

class LinearPrefetch {
 public:
  struct Tile {
    llvm::Value* end;         // group behind the tile's last
    llvm::Value* has_next;    // i1: is the worker's next tile known, and of the same matrix?
    llvm::Value* next_first;  // its first group
  };

  // `parts` of `groups` each make the matrix.
  LinearPrefetch(KernelBuilder& k, const Tile& tile, int64_t group_bytes, int64_t parts, int64_t groups);

  // Bytes from the end of a stream's group to where it goes on: right there, or, behind `stream_end`, in the
  // worker's next tile. Without one, back to what is in cache already.
  llvm::Value* stream_jump(llvm::Value* group, llvm::Value* stream_end);
  // The same for `width` groups that meet blocks of rows: the other part, the next groups, or the next tile.
  llvm::Value* block_jump(llvm::Value* group, int64_t width, int64_t part);

  // Some way ahead of `offset` in each stream; past the end of a group, where the stream goes on.
  void stream(const std::vector<llvm::Value*>& groups, llvm::Value* offset, int64_t bytes, llvm::Value* jump);
  // While some groups serve all `rows`, the next ones come: each block of them (`row` is its first) asks for
  // an eighth, or, if there are only one or two blocks, for all.
  void next_groups(const std::vector<llvm::Value*>& groups, llvm::Value* row, llvm::Value* rows,
                   llvm::Value* offset, int64_t bytes, llvm::Value* jump);

 private:
  KernelBuilder& k_;
  Tile tile_;
  int64_t group_bytes_, parts_, groups_;
};

}  // namespace lmc
