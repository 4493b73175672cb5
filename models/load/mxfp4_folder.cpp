#include "models/load/mxfp4_folder.h"

#include <algorithm>

#include "ir/block_format.h"
#include "ir/error.h"
#include "models/gguf/gguf_blocks.h"

namespace lmc {
namespace {

const std::string kBlocks = "_blocks";
const std::string kScales = "_scales";
constexpr int64_t kNumbers = 32, kHalves = 16;  // of a group: numbers, bytes of them

const GgufFormat& mxfp4() { return gguf_format("MXFP4"); }

}  // namespace

Mxfp4Folder::Mxfp4Folder(const std::string& folder) : HfFolder(folder) {
  const std::vector<std::string> all = HfFolder::names();  // in order
  const auto there = [&](const std::string& name) {
    return std::binary_search(all.begin(), all.end(), name);
  };
  for (const std::string& name : all) {
    if (!name.ends_with(kBlocks)) continue;
    const std::string base = name.substr(0, name.size() - kBlocks.size());
    const SafetensorsFile::Tensor& numbers = stored(name);
    if (numbers.dtype != "U8" || there(base) || !there(base + kScales)) continue;
    const SafetensorsFile::Tensor& scales = stored(base + kScales);
    std::vector<int64_t> shape = scales.shape;
    shape.push_back(kHalves);
    if (scales.dtype != "U8" || shape.size() < 3 || shape != numbers.shape) {
      throw Error(HfFolder::file_of(name) + ": tensor '" + name + "' " + HfFolder::shape_text(name) +
                  " does not fit '" + base + kScales + "' " + HfFolder::shape_text(base + kScales) +
                  ": MXFP4 has 16 bytes U8 for each scale U8");
    }
    Type type{DType::bf16, scales.shape};
    type.dims.back() *= kNumbers;
    packed_[base] = type;
  }
}

std::optional<Type> Mxfp4Folder::type(const std::string& name) const {
  const auto it = packed_.find(name);
  return it == packed_.end() ? HfFolder::type(name) : it->second;
}

// A block there is the scale, then 16 bytes: number i in the lower half of byte i, number 16 + i in its upper
// half.
std::vector<std::byte> Mxfp4Folder::blocks(const std::string& name, int64_t first, int64_t count) const {
  const GgufFormat& format = mxfp4();
  std::vector<std::byte> numbers(static_cast<size_t>(count * kHalves)), scales(static_cast<size_t>(count));
  read_bytes(name + kBlocks, first * kHalves, numbers);
  read_bytes(name + kScales, first, scales);
  std::vector<std::byte> out(static_cast<size_t>(count * format.bytes));
  for (int64_t b = 0; b < count; ++b) {
    const std::byte* from = numbers.data() + b * kHalves;
    std::byte* to = out.data() + b * format.bytes;
    *to++ = scales[static_cast<size_t>(b)];
    const auto number = [&](int64_t i) {
      return i % 2 == 0 ? from[i / 2] & std::byte{15} : from[i / 2] >> 4;
    };
    for (int64_t i = 0; i < kHalves; ++i) to[i] = number(i) | number(i + kHalves) << 4;
  }
  return out;
}

void Mxfp4Folder::read(const std::string& name, int64_t first, std::span<float> out) const {
  if (!packed_.contains(name)) return HfFolder::read(name, first, out);
  constexpr int64_t kAtOnce = 4096;  // blocks
  std::vector<float> numbers;
  for (int64_t done = 0, size = static_cast<int64_t>(out.size()); done < size;) {
    const int64_t block = (first + done) / kNumbers;
    const int64_t skip = (first + done) % kNumbers;
    const int64_t count = std::min(kAtOnce, (skip + size - done + kNumbers - 1) / kNumbers);
    numbers.resize(static_cast<size_t>(count * kNumbers));
    mxfp4().decode(blocks(name, block, count).data(), count, numbers.data());
    const int64_t n = std::min(size - done, count * kNumbers - skip);
    std::copy_n(numbers.data() + skip, n, out.data() + done);
    done += n;
  }
}

std::optional<WeightSource::StoredFormat> Mxfp4Folder::stored_format(const std::string& name) const {
  if (!packed_.contains(name)) return HfFolder::stored_format(name);
  return StoredFormat{DType::q8_0, mxfp4().name};
}

bool Mxfp4Folder::read_blocks(const std::string& name, bool transposed, DType format, int64_t first,
                              int64_t rows, std::span<std::byte> out) const {
  const auto it = packed_.find(name);
  if (it == packed_.end()) return HfFolder::read_blocks(name, transposed, format, first, rows, out);
  if (transposed || format != DType::q8_0) return false;
  const int64_t per_row = it->second.last() / kNumbers;
  const int64_t row_bytes = block_format(format).row_bytes(it->second.last());
  for (int64_t r = 0; r < rows; ++r)
    mxfp4().as_q8_0(blocks(name, (first + r) * per_row, per_row).data(), per_row, out.data() + r * row_bytes);
  return true;
}

std::vector<std::string> Mxfp4Folder::names() const {
  std::vector<std::string> out;
  for (const std::string& name : HfFolder::names()) {
    const auto part_of_packed = [&](const std::string& ending) {
      return name.ends_with(ending) && packed_.contains(name.substr(0, name.size() - ending.size()));
    };
    if (!part_of_packed(kScales) && !part_of_packed(kBlocks)) out.push_back(name);
  }
  for (const auto& [name, type] : packed_) out.push_back(name);
  return out;
}

std::string Mxfp4Folder::shape_text(const std::string& name) const {
  const auto it = packed_.find(name);
  return it == packed_.end() ? HfFolder::shape_text(name) : "MXFP4" + it->second.str().substr(4);
}

std::string Mxfp4Folder::file_of(const std::string& name) const {
  return HfFolder::file_of(packed_.contains(name) ? name + kBlocks : name);
}

}  // namespace lmc
