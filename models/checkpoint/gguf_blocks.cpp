#include "models/checkpoint/gguf_blocks.h"

#include <algorithm>
#include <cmath>
#include <cstring>

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

void decode_f32(const std::byte* b, float* out) { *out = load<float>(b); }
void decode_f16(const std::byte* b, float* out) { *out = half(b); }
void decode_bf16(const std::byte* b, float* out) { *out = bf16_to_f32(load<uint16_t>(b)); }

// f16 scale, 16 bytes: the low halves are numbers 0 to 15, the high ones 16 to 31, each less 8.
void decode_q4_0(const std::byte* b, float* out) {
  const float d = half(b);
  for (int i = 0; i < 16; ++i) {
    out[i] = static_cast<float>((byte_at(b, 2 + i) & 15) - 8) * d;
    out[i + 16] = static_cast<float>((byte_at(b, 2 + i) >> 4) - 8) * d;
  }
}

// f16 scale, 32 int8.
void decode_q8_0(const std::byte* b, float* out) {
  const float d = half(b);
  for (int i = 0; i < 32; ++i) out[i] = static_cast<float>(load<int8_t>(b + 2 + i)) * d;
}

// Scale and minimum of one of a Q4_K block's eight parts: 6 bits each, packed into 12 bytes.
struct ScaleMin {
  int scale, min;
};

ScaleMin scale_min(const std::byte* s, int part) {
  if (part < 4) return {byte_at(s, part) & 63, byte_at(s, part + 4) & 63};
  return {(byte_at(s, part + 4) & 15) | ((byte_at(s, part - 4) >> 6) << 4),
          (byte_at(s, part + 4) >> 4) | ((byte_at(s, part) >> 6) << 4)};
}

// f16 scale of the scales, f16 scale of the minima, 12 bytes of them, 256 numbers of 4 bits: each run of 32
// bytes holds a part of 32 in its low halves and the next part in its high ones.
void decode_q4_k(const std::byte* b, float* out) {
  const float d = half(b);
  const float dmin = half(b + 2);
  const std::byte* q = b + 16;
  for (int part = 0; part < 8; ++part) {
    const ScaleMin s = scale_min(b + 4, part);
    const float scale = d * static_cast<float>(s.scale);
    const float min = dmin * static_cast<float>(s.min);
    for (int i = 0; i < 32; ++i) {
      const int both = byte_at(q, part / 2 * 32 + i);
      out[part * 32 + i] = scale * static_cast<float>(part % 2 ? both >> 4 : both & 15) - min;
    }
  }
}

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

constexpr GgufFormat kFormats[] = {
    {0, "F32", 1, 4, DType::f32, decode_f32},        {1, "F16", 1, 2, DType::f16, decode_f16},
    {2, "Q4_0", 32, 18, DType::f32, decode_q4_0},    {8, "Q8_0", 32, 34, DType::f32, decode_q8_0},
    {12, "Q4_K", 256, 144, DType::f32, decode_q4_k}, {14, "Q6_K", 256, 210, DType::f32, decode_q6_k},
    {30, "BF16", 1, 2, DType::bf16, decode_bf16},
};

// By id; "" for numbers ggml has given up.
constexpr const char* kNames[] = {
    "F32",    "F16",   "Q4_0",  "Q4_1",   "",      "",      "Q5_0",    "Q5_1",   "Q8_0",    "Q8_1",
    "Q2_K",   "Q3_K",  "Q4_K",  "Q5_K",   "Q6_K",  "Q8_K",  "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S",
    "IQ4_NL", "IQ3_S", "IQ2_S", "IQ4_XS", "I8",    "I16",   "I32",     "I64",    "F64",     "IQ1_M",
    "BF16",   "",      "",      "",       "TQ1_0", "TQ2_0", "",        "",       "",        "MXFP4"};

}  // namespace

const GgufFormat* gguf_format(uint32_t id) {
  const auto* it =
      std::find_if(std::begin(kFormats), std::end(kFormats), [&](const auto& f) { return f.id == id; });
  return it == std::end(kFormats) ? nullptr : it;
}

const GgufFormat& gguf_format(const std::string& name) {
  return *std::find_if(std::begin(kFormats), std::end(kFormats),
                       [&](const auto& f) { return f.name == name; });
}

std::string gguf_format_name(uint32_t id) {
  const std::string name = id < std::size(kNames) ? kNames[id] : "";
  return (name.empty() ? "unknown" : name) + " (" + std::to_string(id) + ")";
}

std::string gguf_format_names() {
  std::string out;
  for (const GgufFormat& f : kFormats) out += (out.empty() ? "" : ", ") + std::string(f.name);
  return out;
}

void encode_q8_0(const float* x, std::byte* out) {
  float largest = 0;
  for (int i = 0; i < 32; ++i) largest = std::max(largest, std::fabs(x[i]));
  const float d = std::min(largest / 127.0F, 65504.0F);
  const float inverse = d > 0 ? 1.0F / d : 0.0F;
  const uint16_t scale = f32_to_f16(d);
  std::memcpy(out, &scale, 2);
  for (int i = 0; i < 32; ++i) {
    const auto q = static_cast<int8_t>(std::clamp(std::round(x[i] * inverse), -127.0F, 127.0F));
    std::memcpy(out + 2 + i, &q, 1);
  }
}

}  // namespace lmc
