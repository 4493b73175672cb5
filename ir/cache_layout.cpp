#include "ir/cache_layout.h"

#include <algorithm>

#include "ir/round_up.h"

namespace lmc {

CacheLayout::CacheLayout(const PlanCache& c)
    : element_bytes(c.dtype == DType::kv_f16 ? 2 : 4),
      v_row(round_up(c.head_dim, 8)),
      k_head_bytes(c.capacity * c.head_dim * element_bytes),
      v_head_bytes(c.capacity * v_row * element_bytes),
      v_offset(round_up(c.kv_heads * k_head_bytes, 64)),
      bytes(v_offset + c.kv_heads * v_head_bytes) {}

std::vector<CachePiece> cache_pieces(const PlanCache& c, int64_t slots) {
  const CacheLayout layout(c);
  const int64_t rows = std::min(round_up(slots, kCacheBlock), c.capacity) * layout.element_bytes;
  std::vector<CachePiece> out;
  for (int64_t h = 0; h < c.kv_heads; ++h) out.push_back({h * layout.k_head_bytes, rows * c.head_dim});
  for (int64_t h = 0; h < c.kv_heads; ++h)
    out.push_back({layout.v_offset + h * layout.v_head_bytes, rows * layout.v_row});
  return out;
}

}  // namespace lmc
