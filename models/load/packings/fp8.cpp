// Numbers of 8 bits, F8_E4M3 or F8_E5M2 (OCP 8-bit Floating Point Specification 1.0: the former has no
// infinities), times a scale: NAME_scale_inv, a scale for each 128 × 128 of them (DeepSeek V3), or
// NAME_scale, one for each row or for all (compressed-tensors, fbgemm, modelopt); both multiply. Without
// either they stand for themselves. NAME is "….weight"; scales of activations beside it are not used, as
// activations are not rounded to 8 bits here.
#include <array>
#include <cmath>
#include <limits>

#include "ir/error.h"
#include "models/load/packed_folder.h"

namespace lmc::packings::fp8 {
namespace {

constexpr int64_t kBlock = 128;
const char* const kWeight = ".weight";

std::array<float, 256> numbers(int exponent_bits, bool infinities) {
  const int mantissa_bits = 7 - exponent_bits, bias = (1 << (exponent_bits - 1)) - 1;
  const int most = (1 << exponent_bits) - 1, steps = 1 << mantissa_bits;
  std::array<float, 256> out{};
  for (int i = 0; i < 256; ++i) {
    const int exponent = i >> mantissa_bits & most, mantissa = i & (steps - 1);
    float x = exponent == 0
                  ? std::ldexp(static_cast<float>(mantissa), 1 - bias - mantissa_bits)
                  : std::ldexp(static_cast<float>(steps + mantissa), exponent - bias - mantissa_bits);
    if (exponent == most && (infinities || mantissa == steps - 1))
      x = infinities && mantissa == 0 ? std::numeric_limits<float>::infinity()
                                      : std::numeric_limits<float>::quiet_NaN();
    out[static_cast<size_t>(i)] = (i & 128) != 0 ? -x : x;
  }
  return out;
}

const std::array<float, 256>& numbers_of(const std::string& dtype) {
  static const std::array<float, 256> e4m3 = numbers(4, false), e5m2 = numbers(5, true);
  return dtype == "F8_E5M2" ? e5m2 : e4m3;
}

class Fp8 : public PackedTensor {
 public:
  // A scale for each `rows` × `cols` numbers.
  Fp8(const HfFolder& folder, std::vector<std::string> parts, std::string scales, int64_t rows, int64_t cols)
      : folder_(folder), parts_(std::move(parts)), rows_(rows), cols_(cols) {
    const SafetensorsFile::Tensor& stored = folder.stored(parts_[0]);
    dtype_ = stored.dtype;
    type_ = {DType::f32, stored.shape};
    if (scales.empty()) return;
    int64_t count = 1;
    for (const int64_t n : folder.stored(scales).shape) count *= n;
    scales_.resize(static_cast<size_t>(count));
    folder.read(scales, 0, scales_);
  }

  Type type() const override { return type_; }
  std::string format() const override { return dtype_; }
  std::vector<std::string> parts() const override { return parts_; }

  void read(int64_t first, std::span<float> out) const override {
    std::vector<std::byte> bytes(out.size());
    folder_.read_bytes(parts_[0], first, bytes);
    const std::array<float, 256>& number = numbers_of(dtype_);
    const int64_t cols = type_.last(), across = (cols + cols_ - 1) / cols_;
    for (size_t i = 0; i < out.size(); ++i) {
      const int64_t at = first + static_cast<int64_t>(i);
      out[i] = number[std::to_integer<size_t>(bytes[i])];
      if (!scales_.empty())
        out[i] *= scales_[static_cast<size_t>(at / cols / rows_ * across + at % cols / cols_)];
    }
  }

 private:
  const HfFolder& folder_;
  std::vector<std::string> parts_;
  int64_t rows_, cols_;
  std::string dtype_;
  Type type_;
  std::vector<float> scales_;
};

FoundPacking find(const HfFolder& folder, const std::string& stored) {
  const SafetensorsFile::Tensor& numbers = folder.stored(stored);
  if (numbers.dtype != "F8_E4M3" && numbers.dtype != "F8_E5M2") return {};
  const auto rows_of = [](const std::vector<int64_t>& shape) { return shape.empty() ? 1 : shape[0]; };
  const int64_t rows = rows_of(numbers.shape), cols = numbers.shape.empty() ? 1 : numbers.shape.back();
  std::vector<std::string> parts = {stored};
  if (stored.ends_with(kWeight)) {
    const std::string module = stored.substr(0, stored.size() - std::string_view(kWeight).size());
    for (const char* beside : {".input_scale", ".input_scale_ub"})
      if (folder.holds(module + beside)) parts.push_back(module + beside);
  }
  const std::string inverse = stored + "_scale_inv", scale = stored + "_scale";
  std::string scales;
  constexpr int64_t kAll = std::numeric_limits<int64_t>::max();
  int64_t block_rows = kAll, block_cols = std::max<int64_t>(cols, 1);
  if (folder.holds(inverse) || folder.holds(scale)) {
    scales = folder.holds(inverse) ? inverse : scale;
    parts.push_back(scales);
    const std::vector<int64_t>& shape = folder.stored(scales).shape;
    int64_t count = 1;
    for (const int64_t n : shape) count *= n;
    const auto blocks = [](int64_t n) { return (n + kBlock - 1) / kBlock; };
    if (shape.size() == 2 && numbers.shape.size() == 2 && shape[0] == blocks(rows) &&
        shape[1] == blocks(cols) && scales == inverse) {
      block_rows = block_cols = kBlock;
    } else if (count == rows && count > 1 && rows_of(shape) == rows && numbers.shape.size() == 2) {
      block_rows = 1;
    } else if (count != 1) {
      throw Error(folder.file_of(scales) + ": tensor '" + scales + "' " + folder.shape_text(scales) +
                  " does not fit '" + stored + "' " + folder.shape_text(stored) +
                  ": there is a scale for all, for each row, or (weight_scale_inv) for each 128 x 128");
    }
    if (!safetensors_dtype(folder.stored(scales).dtype))
      throw Error(folder.file_of(scales) + ": tensor '" + scales + "' is " + folder.stored(scales).dtype +
                  "; scales must be F32, F16 or BF16");
  }
  return {stored, std::make_unique<Fp8>(folder, std::move(parts), scales, block_rows, block_cols)};
}

const RegisterPacking kPacking(find);

}  // namespace
}  // namespace lmc::packings::fp8
