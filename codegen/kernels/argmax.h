// The largest of a tile's outputs, for steps that want no more of their logits.
#pragma once

#include "codegen/kernels/builder.h"

namespace lmc {

// Keeps, in each of 8 lanes, the largest output seen and its index.
class Argmax {
 public:
  // Starts with nothing seen. `outputs`: lanes at or beyond this index do not count.
  Argmax(KernelBuilder& k, int64_t outputs);

  // i1: is the largest all that this step wants?
  llvm::Value* wanted() const { return wanted_; }
  // 8 outputs, the first of which has the index `column`; <8 x i1>: which of them may be chosen.
  void see(llvm::Value* lanes, llvm::Value* column, llvm::Value* allowed);
  // Writes the tile's TileArgmax, if it is wanted.
  void finish();

 private:
  KernelBuilder& k_;
  llvm::Value *outputs_, *best_, *wanted_;
  llvm::Value *value_, *id_, *bad_;  // variables: the largest, its index, was there a NaN or +inf
};

}  // namespace lmc
