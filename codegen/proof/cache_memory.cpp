#include "codegen/proof/cache_memory.h"

#include <cstring>

#include "ir/cache_layout.h"

namespace lmc::proof {
namespace {

int64_t place(const PlanCache& c, int64_t position, int64_t part, int64_t head, int64_t element) {
  const CacheLayout l(c);
  const int64_t slot = position % c.capacity;
  if (part == 1) return l.v_offset + head * l.v_head_bytes + (slot * l.v_row + element) * l.element_bytes;
  const int64_t block = slot / kCacheBlock * c.head_dim + element;
  return head * l.k_head_bytes + (block * kCacheBlock + slot % kCacheBlock) * l.element_bytes;
}

}  // namespace

void write_cache(const PlanCache& cache, const Tensor& kv, std::byte* memory) {
  size_t at = 0;
  for (int64_t p = 0; p < kv.dims[0]; ++p) {
    for (int64_t part = 0; part < 2; ++part) {
      for (int64_t h = 0; h < kv.dims[2]; ++h) {
        for (int64_t d = 0; d < kv.dims[3]; ++d) {
          const auto number = static_cast<float>(kv.data[at++]);
          const uint16_t half = f32_to_f16(number);
          const bool f16 = cache.dtype == DType::kv_f16;
          std::memcpy(memory + place(cache, p, part, h, d), f16 ? static_cast<const void*>(&half) : &number,
                      f16 ? 2 : 4);
        }
      }
    }
  }
}

double read_cache(const PlanCache& cache, const std::byte* memory, int64_t position, int64_t part,
                  int64_t head, int64_t element) {
  const std::byte* at = memory + place(cache, position, part, head, element);
  if (cache.dtype == DType::kv_f16) {
    uint16_t half;
    std::memcpy(&half, at, 2);
    return static_cast<double>(f16_to_f32(half));
  }
  float number;
  std::memcpy(&number, at, 4);
  return static_cast<double>(number);
}

}  // namespace lmc::proof
