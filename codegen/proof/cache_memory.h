// Keys and values of a tensor [positions, kv_heads, K + V] in the ring of a cache, and back. `pages`: where
// each page of the ring lies.
#pragma once

#include <cstddef>
#include <span>

#include "ir/plan.h"
#include "ir/tensor.h"

namespace lmc::proof {

void write_cache(const PlanCache& cache, const Tensor& kv, std::span<std::byte* const> pages);
// One number of a head at a position that the ring still holds: of its key, then of its value.
double read_cache(const PlanCache& cache, std::span<std::byte* const> pages, int64_t position, int64_t head,
                  int64_t element);

}  // namespace lmc::proof
