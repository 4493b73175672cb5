// Tensor types: an element format and dimensions, some of them symbolic.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lmc {

// kv_*: a key/value cache [span, kv_heads, head_dim]; span = how many positions a token may look back on.
enum class DType : uint8_t { f32, f16, bf16, i32, q8_0, q4_0, q4_k, kv_f16, kv_f32 };

// Symbolic dimensions, known only when a step runs.
inline constexpr int64_t kDimT = -1;  // "T": new tokens in the step
inline constexpr int64_t kDimR = -2;  // "R": rows whose logits are wanted

// Quantised numbers come in blocks along the last dimension (ir/block_format.h); those of activations, always
// Q8_0, have 32 values each.
inline constexpr int64_t kQ8Block = 32;

struct Type {
  DType dtype = DType::f32;
  std::vector<int64_t> dims;

  int64_t rank() const { return static_cast<int64_t>(dims.size()); }
  int64_t last() const { return dims.empty() ? 1 : dims.back(); }
  bool is_static() const;    // no symbolic dimension
  int64_t elements() const;  // product of the static dimensions (symbolic ones count 1)
  std::string str() const;   // "f32[T,1152]"
  friend bool operator==(const Type&, const Type&) = default;
};

bool is_kv(DType t);
bool is_float(DType t);           // f32, f16 or bf16
bool is_quantised(DType t);       // q8_0, q4_0 or q4_k
const char* dtype_name(DType t);  // "q8_0"
std::optional<DType> dtype_from_name(std::string_view name);
std::string dim_name(int64_t dim);  // "T", "R" or the number

// Bytes of `elements` values stored in rows of `row_length`; quantised rows are padded to whole blocks of 32:
// 34 bytes for Q8_0, 18 for Q4_0, and for Q4_K 18 and 4 more for every 8 of them (scales and minima take a
// byte each here, 6 bits in GGUF).
int64_t storage_bytes(DType t, int64_t elements, int64_t row_length);

float f16_to_f32(uint16_t h);
uint16_t f32_to_f16(float f);  // round to nearest, ties to even
float bf16_to_f32(uint16_t h);
uint16_t f32_to_bf16(float f);  // round to nearest, ties to even

}  // namespace lmc
