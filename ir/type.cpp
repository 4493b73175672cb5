#include "ir/type.h"

#include <algorithm>
#include <cstring>
#include <deque>

#include "ir/error.h"

namespace lmc {
namespace {

// By id. A deque, so that names stay where they are.
std::deque<std::string>& names() {
  static std::deque<std::string> all = {"f32",    "f16",     "bf16",      "i32", "kv_f16",
                                        "kv_f32", "kv_q8_0", "state_f32", "q8_0"};
  return all;
}

// Of a number, a key and a value counting as one: no format takes more.
constexpr int64_t kMostBytes = 8;

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

bool Type::is_countable() const {
  int64_t n = kMostBytes;
  for (const int64_t d : dims) {
    if (d >= 0 && __builtin_mul_overflow(n, std::max<int64_t>(d, 1), &n)) return false;
  }
  return true;
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

bool is_kv(DType t) { return t >= DType::kv_f16 && t <= DType::state_f32; }

CacheShape cache_shape(const Type& t) {
  const std::vector<int64_t>& d = t.dims;
  if (t.dtype == DType::state_f32 && t.is_static() && t.rank() == 2) return {2, d[0], 0, d[1]};
  if (is_kv(t.dtype) && t.dtype != DType::state_f32 && t.is_static()) {
    if (t.rank() == 2) return {d[0], 1, 0, d[1]};
    if (t.rank() == 3) return {d[0], d[1], d[2], d[2]};
    if (t.rank() == 4) return {d[0], d[1], d[2], d[3]};
  }
  throw Error(t.str() +
              " is no cache [span, heads, D], [span, heads, K, V] or [span, D], and no state_f32 [heads, D]");
}

bool is_float(DType t) { return t == DType::f32 || t == DType::f16 || t == DType::bf16; }

bool is_quantised(DType t) { return t >= DType::q8_0; }

const char* dtype_name(DType t) { return names()[static_cast<size_t>(t)].c_str(); }

std::optional<DType> dtype_from_name(std::string_view name) {
  const auto it = std::find(names().begin(), names().end(), name);
  if (it == names().end()) return std::nullopt;
  return static_cast<DType>(it - names().begin());
}

DType register_dtype(const std::string& name) {
  if (const auto known = dtype_from_name(name)) {
    if (!is_quantised(*known)) throw Error("'" + name + "' is no name for a quantised format: it is another");
    return *known;
  }
  if (names().size() > UINT8_MAX) throw Error("format " + name + ": there are too many formats");
  names().push_back(name);
  return static_cast<DType>(names().size() - 1);
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
  // Rounding would carry a NaN's bits into its exponent, or beyond its sign.
  if ((bits & 0x7fffffff) > 0x7f800000) return static_cast<uint16_t>(bits >> 16 | 0x40);
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
