// Logits that may not be chosen (StepInfo::allowed): which weight rows need not be read. Rows and ids are the
// same thing here.
#pragma once

#include <functional>

#include "codegen/kernels/builder.h"

namespace lmc {

class AllowedRows {
 public:
  // Of a matrix in groups of `group_rows`.
  AllowedRows(KernelBuilder& k, int64_t group_rows);

  // Runs `body` if an id of these `width` neighbouring groups may be chosen.
  void if_any(llvm::Value* group, int64_t width, const std::function<void()>& body);
  // i1: are so few groups of [first, end) needed that one after the other, without the others, they are read
  // sooner than all of them in several streams?
  llvm::Value* sparse(llvm::Value* first, llvm::Value* end);
  // <8 x i1>: which of 8 ids from `column` on may be chosen.
  llvm::Value* eight(llvm::Value* column);

 private:
  llvm::Value* any(llvm::Value* group, int64_t width);
  llvm::Value* bits(llvm::Value* column, int64_t count);

  KernelBuilder& k_;
  int64_t group_rows_;
  llvm::Value *set_, *all_;  // StepInfo::allowed; i1: is it null?
};

}  // namespace lmc
