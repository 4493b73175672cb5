// How fast this machine reads memory: the bound of every decode step.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace lmc {

struct ReadBandwidth {
  double bytes_per_second = 0;
  int streams = 0;         // per thread
  int prefetch_bytes = 0;  // ahead
};

// The best of 1, 2, 4 and 8 streams per thread with and without prefetch, median of three passes each over
// `data` (which should be much larger than the caches).
ReadBandwidth measure_read_bandwidth(std::span<const std::byte> data, int threads);

}  // namespace lmc
