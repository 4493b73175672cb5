// Tensor types: an element format and dimensions, some of them symbolic.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lmc {

// kv_*: a key/value cache [span, kv_heads, head_dim]; span = how many positions a token may look back on.
enum class DType : uint8_t { f32, f16, bf16, i32, q8_0, kv_f16, kv_f32 };

// Symbolic dimensions, known only when a step runs.
inline constexpr int64_t kDimT = -1;  // "T": new tokens in the step
inline constexpr int64_t kDimR = -2;  // "R": rows whose logits are wanted

// Q8_0: blocks of 32 values along the last dimension with one f16 scale, as in GGUF.
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
const char* dtype_name(DType t);  // "q8_0"
std::optional<DType> dtype_from_name(std::string_view name);
std::string dim_name(int64_t dim);  // "T", "R" or the number

// Bytes of `elements` values stored in rows of `row_length` (Q8_0 pads each row to whole blocks of 34 bytes).
int64_t storage_bytes(DType t, int64_t elements, int64_t row_length);

float f16_to_f32(uint16_t h);
uint16_t f32_to_f16(float f);  // round to nearest, ties to even
float bf16_to_f32(uint16_t h);

}  // namespace lmc
