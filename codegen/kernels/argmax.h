// The largest of a tile's outputs in each row, for steps that want no more of their logits.
#pragma once

#include "codegen/kernels/builder.h"

namespace lmc {

// Keeps, in each of 8 lanes of a row, the largest output seen and its index.
class Argmax {
 public:
  // For at most so many rows. `outputs`: lanes at or beyond this index do not count.
  Argmax(KernelBuilder& k, int64_t outputs, int64_t most_rows);

  // Nothing has been seen of a row, one of most_rows.
  void start(llvm::Value* row);
  // i1: is the largest all that this step wants?
  llvm::Value* wanted() const { return wanted_; }
  // 8 outputs, the first of which has the index `column`; <8 x i1>: which of them may be chosen.
  void see(llvm::Value* row, llvm::Value* lanes, llvm::Value* column, llvm::Value* allowed);
  // Writes the TileArgmax of a row, which is number `number` of the step's: where they lie by row and tile.
  void finish(llvm::Value* row, llvm::Value* number, int64_t tiles);

 private:
  struct Seen {
    llvm::Value *values, *ids;  // where they are: <8 x float>, <8 x i64>
  };
  Seen seen(llvm::Value* row);

  KernelBuilder& k_;
  llvm::Value *outputs_, *best_, *wanted_;
  llvm::Value* rows_;  // what was seen, row by row
};

}  // namespace lmc
