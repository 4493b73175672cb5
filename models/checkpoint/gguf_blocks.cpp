#include "models/checkpoint/gguf_blocks.h"

#include <algorithm>
#include <cstring>

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

void decode_f32(const std::byte* b, float* out) { *out = load<float>(b); }
void decode_f16(const std::byte* b, float* out) { *out = half(b); }
void decode_bf16(const std::byte* b, float* out) { *out = bf16_to_f32(load<uint16_t>(b)); }

// What lmc computes with as well (ir/block_format.h).
template <DType dtype>
void decode_block(const std::byte* b, float* out) {
  block_format(dtype).decode(b, out);
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
    {0, "F32", 1, 4, DType::f32, decode_f32},
    {1, "F16", 1, 2, DType::f16, decode_f16},
    {2, "Q4_0", 32, 18, DType::f32, decode_block<DType::q4_0>},
    {8, "Q8_0", 32, 34, DType::f32, decode_block<DType::q8_0>},
    {12, "Q4_K", 256, 144, DType::f32, decode_block<DType::q4_k>},
    {14, "Q6_K", 256, 210, DType::f32, decode_q6_k},
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

std::optional<DType> quantised_as(const GgufFormat& format) {
  for (const DType t : {DType::q8_0, DType::q4_0, DType::q4_k}) {
    std::string name = dtype_name(t);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::toupper(c); });
    if (name == format.name) return t;
  }
  return std::nullopt;
}

std::string gguf_format_names() {
  std::string out;
  for (const GgufFormat& f : kFormats) out += (out.empty() ? "" : ", ") + std::string(f.name);
  return out;
}

}  // namespace lmc
