// Where a cache keeps its positions: what the kernels that fill and read it and the runtime, which may store
// it, agree on. K is interleaved by 8 positions so that scores of 8 positions are lanes of one vector:
// K [kv_heads][capacity/8][head_dim][8], then V [kv_heads][capacity][head_dim rounded up to 8].
#pragma once

#include <cstdint>
#include <vector>

#include "ir/plan.h"

namespace lmc {

inline constexpr int64_t kCacheBlock = 8;  // positions that lie side by side in K

struct CacheLayout {
  explicit CacheLayout(const PlanCache& c);
  int64_t element_bytes;
  int64_t v_row;                       // elements of a V row
  int64_t k_head_bytes, v_head_bytes;  // one kv head
  int64_t v_offset;                    // bytes from the start of the cache to V
  int64_t bytes;
};

// The bytes of slots 0 … slots - 1, in whole blocks, in the order they lie there. 0 <= slots <= c.capacity.
struct CachePiece {
  int64_t offset, bytes;
};
std::vector<CachePiece> cache_pieces(const PlanCache& c, int64_t slots);

}  // namespace lmc
