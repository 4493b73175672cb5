// LLVM without memory.
#pragma once

namespace lmc {

// From now on it ends the process as ir/out_of_memory.h does, instead of aborting it.
void end_where_llvm_finds_no_memory() noexcept;

}  // namespace lmc
