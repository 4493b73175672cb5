#include "models/gguf/gguf_blocks.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "ir/block_format.h"

namespace lmc {
namespace {

template <class T>
T load(const std::byte* p) {
  T v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

float half(const std::byte* p) { return f16_to_f32(load<uint16_t>(p)); }
int byte_at(const std::byte* p, int i) { return std::to_integer<int>(p[i]); }

constexpr int64_t kQ6Bytes = 210;

// 256 numbers of 6 bits: 128 bytes of low halves, 64 bytes of upper pairs, 16 int8 scales, f16 scale of
// those.
void decode_q6_k(const std::byte* b, float* out) {
  const float d = half(b + 208);
  for (int n = 0; n < 256; ++n) {
    const int side = n / 128;      // each half of the block has its own 64 + 32 bytes
    const int run = n % 128 / 32;  // runs 0 and 1 take low halves, 2 and 3 high ones
    const int i = n % 32;
    const int low = byte_at(b, side * 64 + run % 2 * 32 + i) >> (run / 2 * 4) & 15;
    const int high = byte_at(b, 128 + side * 32 + i) >> (run * 2) & 3;
    const float scale = d * static_cast<float>(load<int8_t>(b + 192 + n / 16));
    out[n] = scale * static_cast<float>((low | high << 4) - 32);
  }
}

void decode_q6_k_blocks(const std::byte* b, int64_t count, float* out) {
  for (int64_t i = 0; i < count; ++i) decode_q6_k(b + i * kQ6Bytes, out + i * 256);
}

// By id.
const std::vector<GgufFormat>& formats() {
  static const std::vector<GgufFormat> all = [] {
    std::vector<GgufFormat> out = {{14, "Q6_K", 256, kQ6Bytes, DType::f32, decode_q6_k_blocks}};
    for (const BlockFormat* f : block_formats()) {
      if (f->gguf.empty()) continue;
      const DType numbers = is_quantised(f->dtype) ? DType::f32 : f->dtype;
      out.push_back({f->gguf_type, f->gguf, f->values, f->bytes, numbers, f->decode});
    }
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    return out;
  }();
  return all;
}

// By id; "" for numbers ggml has given up.
constexpr const char* kNames[] = {
    "F32",    "F16",   "Q4_0",  "Q4_1",   "",      "",      "Q5_0",    "Q5_1",   "Q8_0",    "Q8_1",
    "Q2_K",   "Q3_K",  "Q4_K",  "Q5_K",   "Q6_K",  "Q8_K",  "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S",
    "IQ4_NL", "IQ3_S", "IQ2_S", "IQ4_XS", "I8",    "I16",   "I32",     "I64",    "F64",     "IQ1_M",
    "BF16",   "",      "",      "",       "TQ1_0", "TQ2_0", "",        "",       "",        "MXFP4"};

}  // namespace

const GgufFormat* gguf_format(uint32_t id) {
  const auto it = std::find_if(formats().begin(), formats().end(), [&](const auto& f) { return f.id == id; });
  return it == formats().end() ? nullptr : &*it;
}

const GgufFormat& gguf_format(const std::string& name) {
  return *std::find_if(formats().begin(), formats().end(), [&](const auto& f) { return f.name == name; });
}

std::string gguf_format_name(uint32_t id) {
  const std::string name = id < std::size(kNames) ? kNames[id] : "";
  return (name.empty() ? "unknown" : name) + " (" + std::to_string(id) + ")";
}

std::optional<DType> quantised_as(const GgufFormat& format) {
  for (const BlockFormat* f : block_formats()) {
    if (f->gguf == format.name && is_quantised(f->dtype)) return f->dtype;
  }
  return std::nullopt;
}

std::string gguf_format_names() {
  std::string out;
  for (const GgufFormat& f : formats()) out += (out.empty() ? "" : ", ") + f.name;
  return out;
}

}  // namespace lmc
