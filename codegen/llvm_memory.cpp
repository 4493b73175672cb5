#include "codegen/llvm_memory.h"

#include <llvm/Support/ErrorHandling.h>

#include "ir/out_of_memory.h"

namespace lmc {

void end_where_llvm_finds_no_memory() noexcept {
  llvm::install_bad_alloc_error_handler([](void*, const char*, bool) { end_out_of_memory(); });
}

}  // namespace lmc
