#include "models/gguf/gguf_blocks.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "ir/block_format.h"

namespace lmc {
namespace {

std::vector<GgufFormat>& only_read() {
  static std::vector<GgufFormat> all;
  return all;
}

// By id.
const std::vector<GgufFormat>& formats() {
  static const std::vector<GgufFormat> all = [] {
    std::vector<GgufFormat> out = only_read();
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

RegisterGgufFormat::RegisterGgufFormat(GgufFormat format) { only_read().push_back(std::move(format)); }

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

std::optional<DType> nearest_kernel_format(const GgufFormat& format) {
  if (const auto same = quantised_as(format)) return same;
  return format.elements > 1 ? dtype_from_name(format.nearest) : std::nullopt;
}

std::string gguf_format_names() {
  std::string out;
  for (const GgufFormat& f : formats()) out += (out.empty() ? "" : ", ") + f.name;
  return out;
}

}  // namespace lmc
