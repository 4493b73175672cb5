#include "ir/cache_layout.h"

#include <algorithm>

#include "ir/round_up.h"

namespace lmc {
namespace {

int64_t bytes_of_number(DType t) { return t == DType::kv_q8_0 ? 1 : t == DType::kv_f16 ? 2 : 4; }

int64_t row(const PlanCache& c, int64_t width, int64_t multiple) {
  return round_up(width, c.dtype == DType::kv_q8_0 ? kQ8Block : multiple);
}

constexpr int64_t kScaleBytes = 2;

int64_t row_bytes(DType t, int64_t row) {
  return row * bytes_of_number(t) + (t == DType::kv_q8_0 ? row / kQ8Block * kScaleBytes : 0);
}

}  // namespace

CacheLayout::CacheLayout(const PlanCache& c)
    : page(c.dtype == DType::state_f32 ? 1 : kCachePage),
      block(c.dtype == DType::kv_q8_0     ? 16
            : c.dtype == DType::state_f32 ? 1
                                          : 8),
      element_bytes(bytes_of_number(c.dtype)),
      k_row(row(c, c.key_dim, 1)),
      v_row(row(c, c.value_dim, 8)),
      k_position_bytes(row_bytes(c.dtype, k_row)),
      v_position_bytes(row_bytes(c.dtype, v_row)),
      k_head_bytes(page * k_position_bytes),
      v_head_bytes(page * v_position_bytes),
      v_offset(c.kv_heads * k_head_bytes),
      page_bytes(v_offset + c.kv_heads * v_head_bytes),
      bytes(c.capacity / page * page_bytes) {}

Type cache_type(const PlanCache& c) {
  if (c.dtype == DType::state_f32) return {c.dtype, {c.kv_heads, c.value_dim}};
  if (c.key_dim == 0 && c.kv_heads == 1) return {c.dtype, {c.span, c.value_dim}};
  if (c.key_dim == c.value_dim) return {c.dtype, {c.span, c.kv_heads, c.value_dim}};
  return {c.dtype, {c.span, c.kv_heads, c.key_dim, c.value_dim}};
}

CachePlace key_place(const PlanCache& c, int64_t slot, int64_t element) {
  const CacheLayout l(c);
  const int64_t start = slot / l.block * l.block * l.k_position_bytes;
  const int64_t in_block = slot % l.block;
  if (c.dtype != DType::kv_q8_0) return {start + (element * l.block + in_block) * l.element_bytes, 0};
  return {start + element / 4 * l.block * 4 + in_block * 4 + element % 4,
          start + l.block * l.k_row + (element / kQ8Block * l.block + in_block) * kScaleBytes};
}

CachePlace value_place(const PlanCache& c, int64_t slot, int64_t element) {
  const CacheLayout l(c);
  if (c.dtype != DType::kv_q8_0) return {slot * l.v_position_bytes + element * l.element_bytes, 0};
  const int64_t start = slot / l.block * l.block * l.v_position_bytes;
  const int64_t in_block = slot % l.block;
  return {start + in_block * l.v_row + element,
          start + l.block * l.v_row + (in_block * (l.v_row / kQ8Block) + element / kQ8Block) * kScaleBytes};
}

std::vector<CachePiece> cache_pieces(const PlanCache& c, int64_t slots) {
  const CacheLayout layout(c);
  const int64_t held = round_up(slots, layout.block);
  std::vector<CachePiece> out;
  const auto add = [&](int64_t offset, int64_t position_bytes) {
    for (int64_t first = 0; first < held; first += layout.page)
      out.push_back({first / layout.page, offset, std::min(layout.page, held - first) * position_bytes});
  };
  for (int64_t h = 0; h < c.kv_heads && c.key_dim > 0; ++h)
    add(h * layout.k_head_bytes, layout.k_position_bytes);
  for (int64_t h = 0; h < c.kv_heads; ++h)
    add(layout.v_offset + h * layout.v_head_bytes, layout.v_position_bytes);
  return out;
}

}  // namespace lmc
