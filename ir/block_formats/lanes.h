// Vectors of 8 numbers, as GCC and Clang know them on any machine.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "ir/type.h"

namespace lmc {

using F8 = float __attribute__((vector_size(32)));
using I8 = int32_t __attribute__((vector_size(32)));

template <size_t parts>
struct LanesOf {
  static constexpr size_t kParts = parts;
  F8 part[kParts];

  explicit LanesOf(const float* x) { std::memcpy(part, x, sizeof part); }
};
using Lanes = LanesOf<4>;  // 32 numbers

// Of the largest magnitude, with its sign: the ends of grids are not alike.
[[gnu::always_inline]] inline float largest(const float* x, size_t count) {
  float most = 0;
  for (size_t i = 0; i < count; ++i) {
    if (x[i] * x[i] > most * most) most = x[i];
  }
  return most;
}

[[gnu::always_inline]] inline float sum(const F8& v) {
  return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

// v to the nearest whole number within [low, high], ties to even; NaN becomes `low`. Adding 1.5 * 2^23 leaves
// no bits for fractions.
[[gnu::always_inline]] inline void round_within(F8& v, float low, float high) {
  v = v > low ? v : F8{} + low;
  v = v < high ? v : F8{} + high;
  constexpr float kNoFractions = 12582912.0F;
  v = (v + kNoFractions) - kNoFractions;
}

// None of them NaN or infinite: zero times any of the others is zero.
template <size_t parts>
[[gnu::always_inline]] inline bool all_finite(const LanesOf<parts>& x) {
  F8 zeros = {};
  for (const F8& v : x.part) zeros += v * 0.0F;
  return sum(zeros) == 0;
}

// Calls `encode_lanes`, an always_inline function on vectors that encodes one block, for each of `count`,
// compiled for AVX2 where the CPU has that. The results are the same.
template <void (*encode_lanes)(const float*, std::byte*), int64_t values, int64_t bytes>
void encode_anywhere(const float* x, int64_t count, std::byte* out) {
  for (int64_t i = 0; i < count; ++i) encode_lanes(x + i * values, out + i * bytes);
}
template <void (*encode_lanes)(const float*, std::byte*), int64_t values, int64_t bytes>
__attribute__((target("avx2"))) void encode_avx2(const float* x, int64_t count, std::byte* out) {
  for (int64_t i = 0; i < count; ++i) encode_lanes(x + i * values, out + i * bytes);
}
template <void (*encode_lanes)(const float*, std::byte*), int64_t values, int64_t bytes>
void encode_blocks(const float* x, int64_t count, std::byte* out) {
  static const auto best = __builtin_cpu_supports("avx2") ? encode_avx2<encode_lanes, values, bytes>
                                                          : encode_anywhere<encode_lanes, values, bytes>;
  best(x, count, out);
}

// The same of an `encode_lanes` that takes numbers and the importance of each: all alike, or as given, in
// parts of 32.
inline constexpr auto kAlike = [] {
  std::array<float, 256> out{};
  for (float& x : out) x = 1;
  return out;
}();
template <void (*encode_lanes)(const float*, const float*, std::byte*)>
struct OfImportance {
  [[gnu::always_inline]] static inline void alike(const float* x, std::byte* out) {
    encode_lanes(x, kAlike.data(), out);
  }
};
template <void (*encode_lanes)(const float*, const float*, std::byte*), int64_t values, int64_t bytes>
void encode_alike(const float* x, int64_t count, std::byte* out) {
  encode_blocks<OfImportance<encode_lanes>::alike, values, bytes>(x, count, out);
}
template <void (*encode_lanes)(const float*, const float*, std::byte*), int64_t values, int64_t bytes>
void encode_by(const float* x, const float* importance, int64_t count, std::byte* out) {
  for (int64_t i = 0; i < count; ++i) {
    std::array<float, values> w;
    std::copy_n(importance + i * values, values, w.begin());
    for (auto at = w.begin(); at != w.end(); at += 32) {
      if (std::all_of(at, at + 32, [](float f) { return f == 0; })) std::fill_n(at, 32, 1.0F);
    }
    encode_lanes(x + i * values, w.data(), out + i * bytes);
  }
}

// Calls `decode_block`, which decodes one block, for each of `count`.
template <void (*decode_block)(const std::byte*, float*), int64_t values, int64_t bytes>
void decode_blocks(const std::byte* blocks, int64_t count, float* out) {
  for (int64_t i = 0; i < count; ++i) decode_block(blocks + i * bytes, out + i * values);
}

inline constexpr uint16_t kNotANumber = 0x7e00;  // as f16

// The f16 number next to f, within f16's range.
inline uint16_t to_scale(float f) {
  return f32_to_f16(f < 65504.0F ? (f > -65504.0F ? f : -65504.0F) : 65504.0F);
}

}  // namespace lmc
