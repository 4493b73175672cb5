// The rows of activations that a tile of a linear works on. Of a plain linear they are the step's tokens. Of
// a mixture of experts (linear_experts) a token has a row of outputs for each of its slots, by the weights
// of the expert chosen there: in a step of one token a tile belongs to a slot; in others to an expert, whose
// weights it reads once for all the rows that chose it. Of a part of the experts, the others' rows are zeros:
// in steps of many tokens a share of their own.
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
  // How many shares have tiles of their own: the slots of a mixture, or the experts that are here and all
  // that are not; else 1.
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
  llvm::Value* here();  // i1: is that expert's matrix in the stack? (Else expert() is 0.) Null: it always is

 private:
  llvm::Value* id_at(llvm::Value* token, llvm::Value* slot);  // i32, the first expert of the stack being 0
  llvm::Value* in_stack(llvm::Value* id) const;               // i1
  void list_rows();

  KernelBuilder& k_;
  const LinearForm& form_;
  llvm::Value *count_, *share_, *list_;
  bool listed_;
  int64_t slots_ = 1;
};

}  // namespace lmc
