// How attention cuts the cache: what its op is split by and its kernels walk in.
#pragma once

#include <cstdint>

namespace lmc {

// The cache is worked on in chunks at absolute positions, whatever the step: same sums, same bits.
inline constexpr int64_t kAttentionChunk = 128;

}  // namespace lmc
