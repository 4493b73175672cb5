#include "ir/type.h"

#include <array>
#include <cstring>

namespace lmc {
namespace {

constexpr std::array<const char*, 9> kNames = {"f32",  "f16",  "bf16",   "i32",   "q8_0",
                                               "q4_0", "q4_k", "kv_f16", "kv_f32"};

}  // namespace

bool Type::is_static() const {
  for (int64_t d : dims) {
    if (d < 0) return false;
  }
  return true;
}

int64_t Type::elements() const {
  int64_t n = 1;
  for (int64_t d : dims) n *= d < 0 ? 1 : d;
  return n;
}

std::string dim_name(int64_t dim) {
  if (dim == kDimT) return "T";
  if (dim == kDimR) return "R";
  return std::to_string(dim);
}

std::string Type::str() const {
  std::string out = dtype_name(dtype);
  out += "[";
  for (size_t i = 0; i < dims.size(); ++i) out += (i ? "," : "") + dim_name(dims[i]);
  return out + "]";
}

bool is_kv(DType t) { return t == DType::kv_f16 || t == DType::kv_f32; }

bool is_float(DType t) { return t == DType::f32 || t == DType::f16 || t == DType::bf16; }

bool is_quantised(DType t) { return t == DType::q8_0 || t == DType::q4_0 || t == DType::q4_k; }

const char* dtype_name(DType t) { return kNames[static_cast<size_t>(t)]; }

std::optional<DType> dtype_from_name(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (name == kNames[i]) return static_cast<DType>(i);
  }
  return std::nullopt;
}

int64_t storage_bytes(DType t, int64_t elements, int64_t row_length) {
  switch (t) {
    case DType::f32:
    case DType::i32:
      return elements * 4;
    case DType::kv_f32:
      return elements * 8;  // a key and a value
    case DType::kv_f16:
      return elements * 4;
    case DType::f16:
    case DType::bf16:
      return elements * 2;
    case DType::q8_0:
    case DType::q4_0:
    case DType::q4_k: {
      if (row_length <= 0) return 0;
      const int64_t blocks = (row_length + 31) / 32;
      const int64_t row = t == DType::q8_0   ? blocks * 34
                          : t == DType::q4_0 ? blocks * 18
                                             : blocks * 18 + (blocks + 7) / 8 * 4;
      return elements / row_length * row;
    }
  }
  return 0;
}

float bf16_to_f32(uint16_t h) {
  const uint32_t bits = static_cast<uint32_t>(h) << 16;
  float f;
  std::memcpy(&f, &bits, sizeof f);
  return f;
}

uint16_t f32_to_bf16(float f) {
  uint32_t bits;
  std::memcpy(&bits, &f, 4);
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

float f16_to_f32(uint16_t h) {
  const uint32_t sign = static_cast<uint32_t>(h & 0x8000) << 16;
  const uint32_t exponent = (h >> 10) & 0x1f;
  const uint32_t mantissa = h & 0x3ff;
  float f;
  uint32_t bits;
  if (exponent == 31) {
    bits = sign | 0x7f800000 | (mantissa << 13);
  } else if (exponent != 0) {
    bits = sign | ((exponent + 112) << 23) | (mantissa << 13);
  } else {  // zero or subnormal: mantissa * 2^-24, exact in f32
    f = static_cast<float>(mantissa) * 0x1p-24f;
    return sign ? -f : f;
  }
  std::memcpy(&f, &bits, sizeof f);
  return f;
}

uint16_t f32_to_f16(float f) {
  uint32_t bits;
  std::memcpy(&bits, &f, sizeof bits);
  const uint16_t sign = static_cast<uint16_t>((bits >> 16) & 0x8000);
  const uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;   // NaN
  if (magnitude >= 0x477ff000) return sign | 0x7c00;  // rounds beyond 65504
  if (magnitude < 0x38800000) {                       // subnormal: let f32 addition round to 2^-24 steps
    float a;
    std::memcpy(&a, &magnitude, sizeof a);
    a += 0.5f;
    std::memcpy(&bits, &a, sizeof bits);
    return sign | static_cast<uint16_t>(bits - 0x3f000000);
  }
  const uint32_t rounded = magnitude + 0xfff + ((magnitude >> 13) & 1) - (112u << 23);
  return sign | static_cast<uint16_t>(rounded >> 13);
}

}  // namespace lmc
