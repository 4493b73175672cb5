// Vectors that are wider than a target's registers, as two of half their lanes.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <cstdint>

namespace lmc {

int64_t lanes_of(const llvm::Value* v);
llvm::Value* low_half(llvm::IRBuilderBase& b, llvm::Value* v);
llvm::Value* high_half(llvm::IRBuilderBase& b, llvm::Value* v);
llvm::Value* joined(llvm::IRBuilderBase& b, llvm::Value* low, llvm::Value* high);

}  // namespace lmc
