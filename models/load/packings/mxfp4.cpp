// MXFP4 as gpt-oss keeps it, two tensors for each: NAME_blocks, U8 [.., groups, 16], and NAME_scales, U8 [..,
// groups]; 2^(scale - 127) times 32 numbers of four bits, lanes 2i and 2i + 1 in byte i, the lower half
// first. bf16 holds them all.
#include <algorithm>

#include "ir/block_format.h"
#include "ir/error.h"
#include "models/gguf/gguf_blocks.h"
#include "models/load/packed_folder.h"

namespace lmc::packings::mxfp4 {
namespace {

const std::string kBlocks = "_blocks";
const std::string kScales = "_scales";
constexpr int64_t kNumbers = 32, kHalves = 16;  // of a group: numbers, bytes of them

const GgufFormat& gguf() { return gguf_format("MXFP4"); }

class Mxfp4 : public PackedTensor {
 public:
  Mxfp4(const HfFolder& folder, std::string name, Type type)
      : folder_(folder), name_(std::move(name)), type_(std::move(type)) {}

  Type type() const override { return type_; }
  std::string format() const override { return gguf().name; }
  std::vector<std::string> parts() const override { return {name_ + kBlocks, name_ + kScales}; }

  void read(int64_t first, std::span<float> out) const override {
    constexpr int64_t kAtOnce = 4096;  // blocks
    std::vector<float> numbers;
    for (int64_t done = 0, size = static_cast<int64_t>(out.size()); done < size;) {
      const int64_t block = (first + done) / kNumbers;
      const int64_t skip = (first + done) % kNumbers;
      const int64_t count = std::min(kAtOnce, (skip + size - done + kNumbers - 1) / kNumbers);
      numbers.resize(static_cast<size_t>(count * kNumbers));
      gguf().decode(blocks(block, count).data(), count, numbers.data());
      const int64_t n = std::min(size - done, count * kNumbers - skip);
      std::copy_n(numbers.data() + skip, n, out.data() + done);
      done += n;
    }
  }

  std::optional<WeightSource::StoredFormat> stored_format() const override {
    return WeightSource::StoredFormat{DType::q8_0, gguf().name};
  }

  bool read_blocks(DType format, int64_t first, int64_t rows, std::span<std::byte> out) const override {
    if (format != DType::q8_0) return false;
    const int64_t per_row = type_.last() / kNumbers;
    const int64_t row_bytes = block_format(format).row_bytes(type_.last());
    for (int64_t r = 0; r < rows; ++r)
      gguf().as_nearest(blocks((first + r) * per_row, per_row).data(), per_row, out.data() + r * row_bytes);
    return true;
  }

 private:
  // Blocks [first, first + count) as GGUF stores them: the scale, then 16 bytes, number i in the lower half
  // of byte i, number 16 + i in its upper half.
  std::vector<std::byte> blocks(int64_t first, int64_t count) const {
    std::vector<std::byte> numbers(static_cast<size_t>(count * kHalves)), scales(static_cast<size_t>(count));
    folder_.read_bytes(name_ + kBlocks, first * kHalves, numbers);
    folder_.read_bytes(name_ + kScales, first, scales);
    std::vector<std::byte> out(static_cast<size_t>(count * gguf().bytes));
    for (int64_t b = 0; b < count; ++b) {
      const std::byte* from = numbers.data() + b * kHalves;
      std::byte* to = out.data() + b * gguf().bytes;
      *to++ = scales[static_cast<size_t>(b)];
      const auto number = [&](int64_t i) {
        return i % 2 == 0 ? from[i / 2] & std::byte{15} : from[i / 2] >> 4;
      };
      for (int64_t i = 0; i < kHalves; ++i) to[i] = number(i) | number(i + kHalves) << 4;
    }
    return out;
  }

  const HfFolder& folder_;
  std::string name_;
  Type type_;
};

FoundPacking find(const HfFolder& folder, const std::string& stored) {
  if (!stored.ends_with(kBlocks) || folder.stored(stored).dtype != "U8") return {};
  const std::string name = stored.substr(0, stored.size() - kBlocks.size());
  if (folder.holds(name) || !folder.holds(name + kScales)) return {};
  const SafetensorsFile::Tensor& scales = folder.stored(name + kScales);
  std::vector<int64_t> shape = scales.shape;
  shape.push_back(kHalves);
  if (scales.dtype != "U8" || shape.size() < 3 || shape != folder.stored(stored).shape) {
    throw Error(folder.file_of(stored) + ": tensor '" + stored + "' " + folder.shape_text(stored) +
                " does not fit '" + name + kScales + "' " + folder.shape_text(name + kScales) +
                ": MXFP4 has 16 bytes U8 for each scale U8");
  }
  Type type{DType::bf16, scales.shape};
  type.dims.back() *= kNumbers;
  return {name, std::make_unique<Mxfp4>(folder, name, std::move(type))};
}

const RegisterPacking kPacking(find);

}  // namespace
}  // namespace lmc::packings::mxfp4
