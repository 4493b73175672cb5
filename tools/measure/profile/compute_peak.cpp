#include "tools/measure/profile/compute_peak.h"

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

namespace lmc {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kSlice = std::chrono::milliseconds(50);
constexpr int kSlices = 4;
constexpr int kChains = 8;      // sums in flight: enough to hide the latency of an add or fma
constexpr int kVectors = 64;    // 2 kB of operands
constexpr int kRepeats = 2000;  // between two looks at the clock: tens of microseconds

struct alignas(64) Operands {
  std::array<uint8_t, kVectors * 32> bytes;
};

// All return a value that depends on every sum, so that none is optimised away.

// The exact product of bytes on AVX2, as the avx2 target emits it: |w| times x with w's sign.
__attribute__((target("avx2"))) int64_t multiply_int8(const Operands& data) {
  const __m256i ones = _mm256_set1_epi16(1);
  const auto* p = reinterpret_cast<const __m256i*>(data.bytes.data());
  __m256i sum[kChains] = {};
  for (int r = 0; r < kRepeats; ++r) {
    const __m256i w = _mm256_load_si256(p + r % kVectors);
    const __m256i magnitude = _mm256_abs_epi8(w);
    for (int v = 0; v < kVectors; v += kChains) {
      for (int c = 0; c < kChains; ++c) {
        const __m256i x = _mm256_sign_epi8(_mm256_load_si256(p + v + c), w);
        sum[c] = _mm256_add_epi32(sum[c], _mm256_madd_epi16(_mm256_maddubs_epi16(magnitude, x), ones));
      }
    }
  }
  for (int c = 1; c < kChains; ++c) sum[0] = _mm256_xor_si256(sum[0], sum[c]);
  return _mm256_extract_epi64(sum[0], 0);
}

// One vpdpbusd per 64 products, as the avx512-vnni target emits it.
__attribute__((target("avx512f,avx512vnni"))) int64_t multiply_vnni(const Operands& data) {
  constexpr int kWide = kVectors / 2;
  const auto* p = reinterpret_cast<const __m512i*>(data.bytes.data());
  __m512i sum[kChains] = {};
  for (int r = 0; r < kRepeats; ++r) {  // vectors are half as many and twice as wide: as many products
    const __m512i w = _mm512_load_si512(p + r % kWide);
    for (int v = 0; v < kWide; v += kChains) {
      for (int c = 0; c < kChains; ++c) sum[c] = _mm512_dpbusd_epi32(sum[c], w, _mm512_load_si512(p + v + c));
    }
  }
  for (int c = 1; c < kChains; ++c) sum[0] = _mm512_xor_si512(sum[0], sum[c]);
  return sum[0][0];
}

__attribute__((target("avx2,fma"))) int64_t multiply_f32(const Operands& data) {
  const auto* p = reinterpret_cast<const float*>(data.bytes.data());
  __m256 sum[kChains] = {};
  for (int r = 0; r < kRepeats; ++r) {
    const __m256 x = _mm256_load_ps(p + r % kVectors * 8);
    for (int v = 0; v < kVectors; v += kChains) {
      for (int c = 0; c < kChains; ++c) sum[c] = _mm256_fmadd_ps(x, _mm256_load_ps(p + (v + c) * 8), sum[c]);
    }
  }
  for (int c = 1; c < kChains; ++c) sum[0] = _mm256_xor_ps(sum[0], sum[c]);
  return _mm256_extract_epi64(_mm256_castps_si256(sum[0]), 0);
}

__attribute__((target("avx512f"))) int64_t multiply_f32_wide(const Operands& data) {
  constexpr int kWide = kVectors / 2;
  const auto* p = reinterpret_cast<const float*>(data.bytes.data());
  __m512 sum[kChains] = {};
  for (int r = 0; r < kRepeats; ++r) {
    const __m512 x = _mm512_load_ps(p + r % kWide * 16);
    for (int v = 0; v < kWide; v += kChains) {
      for (int c = 0; c < kChains; ++c) sum[c] = _mm512_fmadd_ps(x, _mm512_load_ps(p + (v + c) * 16), sum[c]);
    }
  }
  __m512i bits = _mm512_castps_si512(sum[0]);
  for (int c = 1; c < kChains; ++c) bits = _mm512_xor_si512(bits, _mm512_castps_si512(sum[c]));
  return bits[0];
}

// Calls per second of `loop`, summed over the threads, while all of them run.
double calls_per_second(int threads, int64_t (*loop)(const Operands&)) {
  std::vector<double> rates(static_cast<size_t>(threads));
  std::atomic<int64_t> sink{0};  // so that the loops are not left out
  std::atomic<int> ready{0};     // counts; nothing is handed over
  {
    std::vector<std::jthread> workers;
    for (double& rate : rates) {
      workers.emplace_back([&] {
        Operands data;
        data.bytes.fill(1);
        ++ready;
        while (ready < threads) std::this_thread::yield();
        const auto begin = Clock::now();
        auto now = begin;
        int64_t calls = 0;
        for (; now - begin < kSlice; now = Clock::now(), ++calls) sink += loop(data);
        rate = static_cast<double>(calls) / std::chrono::duration<double>(now - begin).count();
      });
    }
  }
  double sum = 0;
  for (const double r : rates) sum += r;
  return sum;
}

double best_rate(int threads, int64_t (*loop)(const Operands&)) {
  double best = 0;
  for (int i = 0; i < kSlices; ++i) best = std::max(best, calls_per_second(threads, loop));
  return best;
}

}  // namespace

ComputePeak measure_compute_peak(int threads, const std::string& target) {
  constexpr double kVectorOps = static_cast<double>(kRepeats) * kVectors;  // of 256 bits
  const bool wide = target.starts_with("avx512-") && __builtin_cpu_supports("avx512f") != 0 &&
                    __builtin_cpu_supports("avx512vnni") != 0;
  return {best_rate(threads, wide ? multiply_vnni : multiply_int8) * kVectorOps * 32,
          best_rate(threads, wide ? multiply_f32_wide : multiply_f32) * kVectorOps * 8 * 2};
}

}  // namespace lmc
