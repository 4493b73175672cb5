// Where a position of the token's sequence lies in a cache.
#pragma once

#include "codegen/kernels/row_kernel.h"
#include "ir/cache_layout.h"

namespace lmc {

struct CacheSlot {
  llvm::Value* page;     // where the page begins that holds it
  llvm::Value* in_page;  // which of the page's slots it is
};

inline CacheSlot cache_slot(RowEmitter& e, ValueId cache, llvm::Value* position) {
  KernelBuilder& k = e.k;
  auto& b = k.ir();
  llvm::Value* slot = b.CreateURem(position, k.i64(e.cache(cache).capacity));
  llvm::Value* pages = k.pages(e.address(cache), e.token());
  return {k.page(pages, b.CreateUDiv(slot, k.i64(kCachePage))), b.CreateURem(slot, k.i64(kCachePage))};
}

}  // namespace lmc
