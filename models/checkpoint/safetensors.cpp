#include "models/checkpoint/safetensors.h"

#include <algorithm>
#include <cstring>

#include "ir/error.h"
#include "ir/printable.h"
#include "models/text/json_text.h"

namespace lmc {
namespace {

using nlohmann::json;

int64_t element_bytes(const std::string& dtype) {
  static const std::map<std::string, int64_t> sizes = {
      {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"I16", 2}, {"U16", 2}, {"F16", 2},
      {"BF16", 2}, {"I32", 4}, {"U32", 4}, {"F32", 4},     {"I64", 8},     {"U64", 8}, {"F64", 8}};
  const auto it = sizes.find(dtype);
  return it == sizes.end() ? 0 : it->second;
}

}  // namespace

std::optional<DType> safetensors_dtype(const std::string& name) {
  if (name == "F32") return DType::f32;
  if (name == "F16") return DType::f16;
  if (name == "BF16") return DType::bf16;
  return std::nullopt;
}

SafetensorsFile::SafetensorsFile(const std::string& path)
    : path_(path), mapping_(path), data_(mapping_.bytes().data()), size_(mapping_.bytes().size()) {
  if (size_ < 8)
    throw Error(path + ": is too short to be a safetensors file (" + std::to_string(size_) + " bytes)");
  read_header();
}

void SafetensorsFile::read_header() {
  uint64_t length = 0;
  std::memcpy(&length, data_, 8);
  if (length > size_ - 8) {
    throw Error(path_ + ": the header claims " + std::to_string(length) + " bytes, the file has " +
                std::to_string(size_ - 8) + " behind its length: truncated or not a safetensors file");
  }
  const json header =
      parse_json({reinterpret_cast<const char*>(data_) + 8, length}, path_ + ": the header", true);
  if (!header.is_object()) throw Error(path_ + ": the header is not a JSON object");
  const auto start = static_cast<int64_t>(length) + 8;
  const int64_t room = static_cast<int64_t>(size_) - start;
  std::vector<std::pair<int64_t, int64_t>> ranges;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    const std::string where = path_ + ": tensor '" + name + "': ";
    if (!is_printable_name(name)) throw Error(where + "its name holds control characters");
    try {
      Tensor t;
      t.dtype = entry.at("dtype").get<std::string>();
      double elements = 1, without_zeros = 1;
      if (!entry.at("shape").is_array()) throw Error(where + "shape must be a list of whole numbers");
      for (const json& d : entry.at("shape")) {
        if (!d.is_number_integer() || d.get<int64_t>() < 0)
          throw Error(where + "a dimension is not a whole number");
        t.shape.push_back(d.get<int64_t>());
        elements *= static_cast<double>(t.shape.back());
        without_zeros *= static_cast<double>(std::max<int64_t>(t.shape.back(), 1));
      }
      // Of an empty tensor, whose bytes say nothing of the other dimensions.
      if (without_zeros >= 0x1p62) throw Error(where + "its dimensions make too large a number");
      const json& offsets = entry.at("data_offsets");
      if (offsets.size() != 2 || !offsets[0].is_number_unsigned() || !offsets[1].is_number_unsigned()) {
        throw Error(where + "data_offsets must be two whole numbers");
      }
      const auto begin = offsets[0].get<uint64_t>();
      const auto end = offsets[1].get<uint64_t>();
      if (begin > end || end > static_cast<uint64_t>(room)) {
        throw Error(where + "its data ends at byte " + std::to_string(end) + " of " + std::to_string(room) +
                    ": the file is truncated");
      }
      t.offset = start + static_cast<int64_t>(begin);
      t.bytes = static_cast<int64_t>(end - begin);
      const int64_t element = element_bytes(t.dtype);
      if (element == 0) throw Error(where + "unknown dtype '" + t.dtype + "'");
      if (elements * static_cast<double>(element) != static_cast<double>(t.bytes)) {
        throw Error(where + "its shape and dtype do not make " + std::to_string(t.bytes) + " bytes");
      }
      if (t.bytes > 0) ranges.emplace_back(t.offset, t.offset + t.bytes);
      tensors_.emplace(name, std::move(t));
    } catch (const json::exception& e) {
      throw Error(where + e.what());
    }
  }
  std::sort(ranges.begin(), ranges.end());
  for (size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i].first < ranges[i - 1].second) throw Error(path_ + ": two tensors overlap");
  }
}

const SafetensorsFile::Tensor& SafetensorsFile::tensor(const std::string& name) const {
  const auto it = tensors_.find(name);
  if (it == tensors_.end()) throw Error(path_ + ": there is no tensor '" + name + "'");
  return it->second;
}

void SafetensorsFile::read_bytes(const std::string& name, int64_t first, std::span<std::byte> out) const {
  const Tensor& t = tensor(name);
  if (first < 0 || first > t.bytes - static_cast<int64_t>(out.size()))
    throw Error(path_ + ": tensor '" + name + "' is shorter than its use");
  std::copy_n(data_ + t.offset + first, out.size(), out.data());
}

void SafetensorsFile::read(const std::string& name, int64_t first, std::span<float> out) const {
  const Tensor& t = tensor(name);
  const auto n = static_cast<int64_t>(out.size());
  const int64_t element = element_bytes(t.dtype);
  if (first < 0 || (first + n) * element > t.bytes)
    throw Error(path_ + ": tensor '" + name + "' is shorter than its use");
  if (out.empty()) return;
  const std::byte* from = data_ + t.offset + first * element;
  // memcpy per element: tensors need not be aligned.
  if (t.dtype == "F32") {
    std::memcpy(out.data(), from, static_cast<size_t>(n) * 4);
  } else if (t.dtype == "BF16") {
    for (int64_t i = 0; i < n; ++i) {
      uint16_t h;
      std::memcpy(&h, from + i * 2, 2);
      const uint32_t bits = static_cast<uint32_t>(h) << 16;
      std::memcpy(&out[static_cast<size_t>(i)], &bits, 4);
    }
  } else if (t.dtype == "F16") {
    for (int64_t i = 0; i < n; ++i) {
      uint16_t h;
      std::memcpy(&h, from + i * 2, 2);
      out[static_cast<size_t>(i)] = f16_to_f32(h);
    }
  } else {
    throw Error(path_ + ": tensor '" + name + "' is " + t.dtype + "; weights must be F32, F16 or BF16");
  }
}

}  // namespace lmc
