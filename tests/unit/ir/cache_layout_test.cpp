// Where caches keep their numbers: each in a place of its own, within the bytes that the cache says it has.
#include "ir/cache_layout.h"

#include <gtest/gtest.h>

#include <set>

#include "ir/round_up.h"

namespace lmc {
namespace {

PlanCache cache(DType dtype, int64_t kv_heads, int64_t dim, int64_t capacity = kCachePage) {
  PlanCache c{"kv", dtype, capacity, capacity, kv_heads, dim, dim, 0};
  c.bytes = CacheLayout(c).bytes;
  return c;
}

// Bytes of the numbers and of what belongs to several.
void expect_apart(const PlanCache& c) {
  const CacheLayout l(c);
  std::set<int64_t> numbers, scales;
  for (int64_t head = 0; head < c.kv_heads; ++head) {
    for (int64_t slot = 0; slot < c.capacity; ++slot) {
      for (int64_t d = 0; d < c.key_dim; ++d) {
        const CachePlace key = key_place(c, slot, d);
        const CachePlace value = value_place(c, slot, d);
        EXPECT_TRUE(numbers.insert(head * l.k_head_bytes + key.number).second);
        EXPECT_TRUE(numbers.insert(l.v_offset + head * l.v_head_bytes + value.number).second);
        scales.insert(head * l.k_head_bytes + key.scale);
        scales.insert(l.v_offset + head * l.v_head_bytes + value.scale);
      }
    }
  }
  EXPECT_LE(*numbers.rbegin() + l.element_bytes, c.bytes);
  if (c.dtype != DType::kv_q8_0) return;
  const int64_t blocks = (c.key_dim + kQ8Block - 1) / kQ8Block;
  EXPECT_EQ(static_cast<int64_t>(scales.size()), 2 * c.kv_heads * c.capacity * blocks);
  EXPECT_LE(*scales.rbegin() + 2, c.bytes);
  for (const int64_t s : scales) EXPECT_TRUE(!numbers.contains(s) && !numbers.contains(s + 1));
}

TEST(CacheLayout, gives_every_number_a_place_of_its_own) {
  for (const DType dtype : {DType::kv_f16, DType::kv_f32, DType::kv_q8_0}) {
    for (const int64_t dim : {1, 12, 32, 40, 64}) expect_apart(cache(dtype, 2, dim));
  }
}

TEST(CacheLayout, int8_takes_34_bytes_for_32_numbers) {
  for (const int64_t dim : {32, 64, 128, 256}) {
    for (const int64_t heads : {1, 3, 12}) {
      const auto f16 = static_cast<double>(cache(DType::kv_f16, heads, dim).bytes);
      EXPECT_EQ(static_cast<double>(cache(DType::kv_q8_0, heads, dim).bytes) / f16, 34.0 / 64);
    }
  }
  // Heads of other sizes are padded.
  EXPECT_EQ(cache(DType::kv_q8_0, 1, 40).bytes, cache(DType::kv_q8_0, 1, 64).bytes);
}

TEST(CacheLayout, pieces_are_whole_blocks_of_all_heads) {
  for (const DType dtype : {DType::kv_f16, DType::kv_q8_0}) {
    const PlanCache c = cache(dtype, 3, 40, 2 * kCachePage);
    for (const int64_t slots : {int64_t{9}, kCachePage, kCachePage + 9, c.capacity}) {
      int64_t bytes = 0;
      for (const CachePiece& p : cache_pieces(c, slots)) {
        EXPECT_LE(p.offset + p.bytes, CacheLayout(c).page_bytes);
        EXPECT_LE(p.page * kCachePage, slots);
        bytes += p.bytes;
      }
      EXPECT_EQ(bytes, c.bytes / c.capacity * round_up(slots, 16)) << slots << " slots";
    }
  }
}

}  // namespace
}  // namespace lmc
