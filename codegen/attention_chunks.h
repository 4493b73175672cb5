// How attention cuts the cache: what its op is split by and its kernels walk in.
#pragma once

#include <cstdint>

namespace lmc {

// The cache is worked on in chunks at absolute positions, whatever the step: same sums, same bits. A ring
// holds whole blocks, so that a block is contiguous.
inline constexpr int64_t kAttentionChunk = 128;
inline constexpr int64_t kAttentionBlock = 64;

}  // namespace lmc
