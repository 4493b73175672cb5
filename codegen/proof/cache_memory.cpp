#include "codegen/proof/cache_memory.h"

#include <cstring>

#include "ir/block_format.h"
#include "ir/cache_layout.h"

namespace lmc::proof {
namespace {

struct Place {
  std::byte *number, *scale;
};

Place place(const PlanCache& c, std::span<std::byte* const> pages, int64_t position, int64_t part,
            int64_t head, int64_t element) {
  const CacheLayout l(c);
  const int64_t slot = position % c.capacity;
  std::byte* page = pages[static_cast<size_t>(slot / l.page)];
  page += part == 1 ? l.v_offset + head * l.v_head_bytes : head * l.k_head_bytes;
  const CachePlace at = (part == 1 ? value_place : key_place)(c, slot % l.page, element);
  return {page + at.number, page + at.scale};
}

template <class T>
T read(const std::byte* at) {
  T out;
  std::memcpy(&out, at, sizeof out);
  return out;
}

// One head's key or value.
void write_row(const PlanCache& c, const double* numbers, int64_t position, int64_t part, int64_t head,
               std::span<std::byte* const> pages) {
  const BlockFormat& format = block_format(DType::q8_0);
  const int64_t width = part == 1 ? c.value_dim : c.key_dim;
  const std::vector<float> row(numbers, numbers + width);
  std::vector<std::byte> blocks(static_cast<size_t>(format.row_bytes(width)));
  if (c.dtype == DType::kv_q8_0) encode_row(format, row.data(), width, blocks.data());
  for (int64_t d = 0; d < width; ++d) {
    const Place to = place(c, pages, position, part, head, d);
    const float number = row[static_cast<size_t>(d)];
    if (c.dtype == DType::kv_q8_0) {
      const std::byte* block = blocks.data() + d / kQ8Block * format.bytes;
      std::memcpy(to.scale, block, 2);
      *to.number = block[2 + d % kQ8Block];
    } else if (c.dtype == DType::kv_f16) {
      const uint16_t half = f32_to_f16(number);
      std::memcpy(to.number, &half, 2);
    } else {
      std::memcpy(to.number, &number, 4);
    }
  }
}

}  // namespace

void write_cache(const PlanCache& cache, const Tensor& kv, std::span<std::byte* const> pages) {
  const double* at = kv.data.data();
  for (int64_t p = kv.first; p < kv.first + kv.dims[0]; ++p) {
    for (int64_t h = 0; h < cache.kv_heads; ++h, at += cache.key_dim + cache.value_dim) {
      write_row(cache, at, p, 0, h, pages);
      write_row(cache, at + cache.key_dim, p, 1, h, pages);
    }
  }
}

double read_cache(const PlanCache& cache, std::span<std::byte* const> pages, int64_t position, int64_t head,
                  int64_t element) {
  const bool value = element >= cache.key_dim;
  const Place from =
      place(cache, pages, position, value ? 1 : 0, head, element - (value ? cache.key_dim : 0));
  const std::byte* at = from.number;
  if (cache.dtype == DType::kv_f32 || cache.dtype == DType::state_f32)
    return static_cast<double>(read<float>(at));
  if (cache.dtype == DType::kv_f16) return static_cast<double>(f16_to_f32(read<uint16_t>(at)));
  return static_cast<double>(f16_to_f32(read<uint16_t>(from.scale))) * read<int8_t>(at);
}

}  // namespace lmc::proof
