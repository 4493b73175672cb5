#include "tools/membw.h"

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>
#include <vector>

namespace lmc {
namespace {

// Reads `size` bytes as `streams` runs in step, a cache line of each at a time. Returns something that
// depends on all of them.
template <int kStreams>
__attribute__((target("avx2"))) int64_t read_streams(const std::byte* data, size_t size, int prefetch) {
  const size_t run = size / kStreams / 64 * 64;
  __m256i sum = _mm256_setzero_si256();
  for (size_t at = 0; at < run; at += 64) {
    for (int s = 0; s < kStreams; ++s) {
      const auto* p = reinterpret_cast<const char*>(data) + static_cast<size_t>(s) * run + at;
      if (prefetch > 0) _mm_prefetch(p + prefetch, _MM_HINT_T0);
      sum = _mm256_xor_si256(sum, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
      sum = _mm256_xor_si256(sum, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32)));
    }
  }
  return _mm256_extract_epi64(sum, 0) ^ _mm256_extract_epi64(sum, 1);
}

using Reader = int64_t (*)(const std::byte*, size_t, int);

double seconds_to_read(std::span<const std::byte> data, int threads, Reader reader, int prefetch) {
  const size_t share = data.size() / static_cast<size_t>(threads) / 4096 * 4096;
  std::vector<int64_t> sink(static_cast<size_t>(threads));
  const auto start = std::chrono::steady_clock::now();
  {
    std::vector<std::jthread> workers;
    for (size_t t = 0; t < sink.size(); ++t) {
      workers.emplace_back([&, t] { sink[t] = reader(data.data() + t * share, share, prefetch); });
    }
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  volatile int64_t used = sink[0];
  static_cast<void>(used);
  return seconds;
}

}  // namespace

ReadBandwidth measure_read_bandwidth(std::span<const std::byte> data, int threads) {
  static constexpr std::array<std::pair<int, Reader>, 4> kReaders = {
      {{1, read_streams<1>}, {2, read_streams<2>}, {4, read_streams<4>}, {8, read_streams<8>}}};
  ReadBandwidth best;
  for (const auto& [streams, reader] : kReaders) {
    for (int prefetch : {0, 2048, 8192}) {
      std::array<double, 3> times{};
      for (double& t : times) t = seconds_to_read(data, threads, reader, prefetch);
      std::sort(times.begin(), times.end());
      const double rate = static_cast<double>(data.size()) / times[1];
      if (rate > best.bytes_per_second) best = {rate, streams, prefetch};
    }
  }
  return best;
}

}  // namespace lmc
