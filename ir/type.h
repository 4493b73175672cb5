// Tensor types: an element format and dimensions, some of them symbolic.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lmc {

// An id into the table of element formats. Those with a name here mean something to the compiler itself: q8_0
// is what activations are quantised to. The other quantised formats register themselves (ir/block_format.h)
// and get the ids behind it.
// kv_*: a cache of earlier tokens (CacheShape). In kv_q8_0 each head's key and value are rows of Q8_0.
// state_f32: a cache of what a recurrence has made of them.
enum class DType : uint8_t { f32, f16, bf16, i32, kv_f16, kv_f32, kv_q8_0, state_f32, q8_0 };

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
  bool is_static() const;     // no symbolic dimension
  int64_t elements() const;   // product of the static dimensions (symbolic ones count 1)
  bool is_countable() const;  // the bytes of so many numbers, in any format, fit a 64-bit number
  std::string str() const;    // "f32[T,1152]"
  friend bool operator==(const Type&, const Type&) = default;
};

bool is_kv(DType t);  // any cache

// What a cache keeps of every position: a key and a value of each head. It is [span, heads, D], both D wide;
// [span, heads, K, V], each of its own width; or [span, D]: rows without keys, as one head has them. `span`:
// how many positions a token may look back on, itself included.
// A state_f32 [heads, D] keeps D numbers of each head, as values without keys: what all tokens up to a
// position came to. A token looks back on the one in front of it, and so on no other.
struct CacheShape {
  int64_t span = 0, heads = 0, key = 0, value = 0;
  int64_t numbers() const { return heads * (key + value); }  // of a position
};
CacheShape cache_shape(const Type& t);  // Error if it is none of these
bool is_float(DType t);                 // f32, f16 or bf16
bool is_quantised(DType t);             // q8_0 and those that are registered
const char* dtype_name(DType t);        // "q8_0"
std::optional<DType> dtype_from_name(std::string_view name);
std::string dim_name(int64_t dim);  // "T", "R" or the number

// The id of a quantised format's name, a new one unless it has one. Error if the name means something else.
DType register_dtype(const std::string& name);

float f16_to_f32(uint16_t h);
uint16_t f32_to_f16(float f);  // round to nearest, ties to even; NaN stays NaN
float bf16_to_f32(uint16_t h);
uint16_t f32_to_bf16(float f);  // round to nearest, ties to even; NaN stays NaN

}  // namespace lmc
