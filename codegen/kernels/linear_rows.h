// The rows of activations that a tile of a linear works on. Of a plain linear they are the step's tokens. Of
// a mixture of experts (linear_experts) a token has a row of outputs for each of its slots, by the weights
// of the expert chosen there: in a step of one token a tile belongs to a slot; in others to an expert, whose
// weights it reads once for all the rows that chose it.
#pragma once

#include "codegen/kernels/builder.h"
#include "codegen/kernels/linear_form.h"

namespace lmc {

struct LinearRow {
  llvm::Value* token;
  llvm::Value* slot;  // among the token's experts; 0 in a plain linear
};

class LinearRows {
 public:
  // How many shares have tiles of their own: the slots or the experts of a mixture; else 1.
  static int64_t shares(const LinearForm& form);
  // Bytes that the list of a mixture's rows takes in the scratch.
  static int64_t list_bytes(const LinearForm& form);

  // `tokens` of the step; `share` of the tile; `list`: where in the scratch its rows are listed, where
  // shares() are experts.
  LinearRows(KernelBuilder& k, const LinearForm& form, llvm::Value* tokens, llvm::Value* share,
             llvm::Value* list);

  llvm::Value* count() const { return count_; }
  LinearRow at(llvm::Value* index);  // 0 … count() - 1, by token and slot
  llvm::Value* expert();             // whose weights the rows meet, i64; of a mixture only

 private:
  llvm::Value* id_at(llvm::Value* token, llvm::Value* slot);  // i32
  void list_rows();

  KernelBuilder& k_;
  const LinearForm& form_;
  llvm::Value *count_, *share_, *list_;
  bool listed_;
  int64_t slots_ = 1;
};

}  // namespace lmc
