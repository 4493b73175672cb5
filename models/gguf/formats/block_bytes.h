// What the formats that are only read have in common.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "ir/type.h"

namespace lmc::gguf {

template <class T>
T load(const std::byte* p) {
  T v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

inline float half(const std::byte* p) { return f16_to_f32(load<uint16_t>(p)); }
inline int byte_at(const std::byte* p, int i) { return std::to_integer<int>(p[i]); }
// Of 16 bytes: number i of 32, the first half of them in the low halves.
inline int nibble(const std::byte* p, int i) { return i < 16 ? byte_at(p, i) & 15 : byte_at(p, i - 16) >> 4; }

template <void (*decode_block)(const std::byte*, float*), int64_t values, int64_t bytes>
void decode_all(const std::byte* blocks, int64_t count, float* out) {
  for (int64_t i = 0; i < count; ++i) decode_block(blocks + i * bytes, out + i * values);
}

inline constexpr int64_t kQ8Bytes = 34, kIq4Bytes = 18;  // of a block of Q8_0 or IQ4_NL

// Blocks of `values` numbers, each as `values` / 32 blocks of so many bytes.
template <void (*convert)(const std::byte*, std::byte*), int64_t values, int64_t bytes,
          int64_t bytes_of_32 = kQ8Bytes>
void convert_all(const std::byte* blocks, int64_t count, std::byte* out) {
  for (int64_t i = 0; i < count; ++i) convert(blocks + i * bytes, out + i * (values / 32) * bytes_of_32);
}

// f as f16, within its range if it is a number.
inline uint16_t scale_bits(float f) {
  return f32_to_f16(std::isfinite(f) ? std::clamp(f, -65504.0F, 65504.0F) : f);
}

// A block of Q8_0: an f16 scale and 32 whole numbers. `number(i)` lies within -128 … 127.
template <class Number>
void put_q8_0(std::byte* out, uint16_t scale, const Number& number) {
  std::memcpy(out, &scale, 2);
  for (int i = 0; i < 32; ++i) out[2 + i] = static_cast<std::byte>(static_cast<int8_t>(number(i)));
}

}  // namespace lmc::gguf
