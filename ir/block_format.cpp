#include "ir/block_format.h"

#include <algorithm>
#include <array>

#include "ir/block_formats/formats.h"

namespace lmc {
namespace {

constexpr int64_t kLargestBlock = 256;
constexpr std::array kWeightFormats = {DType::q8_0, DType::q4_0, DType::q4_k, DType::f16, DType::bf16};

}  // namespace

const BlockFormat& block_format(DType dtype) {
  return dtype == DType::q4_0 ? kQ4Format : dtype == DType::q4_k ? kQ4KFormat : kQ8Format;
}

void encode_row(const BlockFormat& format, const float* x, int64_t columns, std::byte* out) {
  for (int64_t first = 0; first < columns; first += format.values, out += format.bytes) {
    if (columns - first >= format.values) {
      format.encode(x + first, out);
    } else {
      float padded[kLargestBlock] = {};
      std::copy(x + first, x + columns, padded);
      format.encode(padded, out);
    }
  }
}

void decode_row(const BlockFormat& format, const std::byte* blocks, int64_t columns, float* out) {
  for (int64_t first = 0; first < columns; first += format.values, blocks += format.bytes) {
    float block[kLargestBlock];
    format.decode(blocks, block);
    std::copy_n(block, std::min(format.values, columns - first), out + first);
  }
}

bool is_weight_format(DType dtype) {
  return std::find(kWeightFormats.begin(), kWeightFormats.end(), dtype) != kWeightFormats.end();
}

std::string weight_format_names() {
  std::string out;
  for (size_t i = 0; i < kWeightFormats.size(); ++i) {
    out += i == 0 ? "" : i + 1 < kWeightFormats.size() ? ", " : " or ";
    out += dtype_name(kWeightFormats[i]);
  }
  return out;
}

}  // namespace lmc
