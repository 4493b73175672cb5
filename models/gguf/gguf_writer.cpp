#include "models/gguf/gguf_writer.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "ir/block_format.h"
#include "ir/error.h"

namespace lmc {
namespace {

constexpr int64_t kAlignment = 32;
constexpr int64_t kChunkBytes = 1 << 22;

template <class T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_text(std::string& out, std::string_view text) {
  put(out, static_cast<uint64_t>(text.size()));
  out += text;
}

template <class T>
std::string number(GgufType type, T value) {
  std::string out;
  put(out, static_cast<uint32_t>(type));
  put(out, value);
  return out;
}

std::string array_header(GgufType element, size_t count) {
  std::string out;
  put(out, static_cast<uint32_t>(GgufType::array));
  put(out, static_cast<uint32_t>(element));
  put(out, static_cast<uint64_t>(count));
  return out;
}

template <class T>
std::string numbers(GgufType element, const std::vector<T>& values) {
  std::string out = array_header(element, values.size());
  out.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  return out;
}

int64_t padding(int64_t bytes) { return (kAlignment - bytes % kAlignment) % kAlignment; }

}  // namespace

void GgufWriter::add_stored(const std::string& key, std::string_view stored) { metadata_[key] = stored; }

void GgufWriter::add(const std::string& key, uint32_t v) { add_stored(key, number(GgufType::u32, v)); }
void GgufWriter::add(const std::string& key, int32_t v) { add_stored(key, number(GgufType::i32, v)); }
void GgufWriter::add(const std::string& key, float v) { add_stored(key, number(GgufType::f32, v)); }
void GgufWriter::add(const std::string& key, bool v) { add_stored(key, number(GgufType::boolean, v)); }

void GgufWriter::add(const std::string& key, std::string_view v) {
  std::string out;
  put(out, static_cast<uint32_t>(GgufType::text));
  put_text(out, v);
  add_stored(key, out);
}

void GgufWriter::add(const std::string& key, const std::vector<std::string>& values) {
  std::string out = array_header(GgufType::text, values.size());
  for (const std::string& v : values) put_text(out, v);
  add_stored(key, out);
}

void GgufWriter::add(const std::string& key, const std::vector<float>& values) {
  add_stored(key, numbers(GgufType::f32, values));
}

void GgufWriter::add(const std::string& key, const std::vector<int32_t>& values) {
  add_stored(key, numbers(GgufType::i32, values));
}

void GgufWriter::add_tensor(const std::string& name, const GgufFormat& format,
                            const std::vector<int64_t>& shape, Fill fill) {
  int64_t rows = 1;
  for (size_t i = 0; i + 1 < shape.size(); ++i) rows *= shape[i];
  tensors_.push_back(
      {name, &format, shape, rows, shape.back() / format.elements * format.bytes, std::move(fill)});
}

std::string GgufWriter::header() const {
  std::string out = "GGUF";
  put(out, uint32_t{3});
  put(out, static_cast<uint64_t>(tensors_.size()));
  put(out, static_cast<uint64_t>(metadata_.size()));
  for (const auto& [key, stored] : metadata_) {
    put_text(out, key);
    out += stored;
  }
  int64_t offset = 0;
  for (const Tensor& t : tensors_) {
    put_text(out, t.name);
    put(out, static_cast<uint32_t>(t.shape.size()));
    for (auto d = t.shape.rbegin(); d != t.shape.rend(); ++d) put(out, static_cast<uint64_t>(*d));
    put(out, t.format->id);
    put(out, static_cast<uint64_t>(offset));
    const int64_t bytes = t.rows * t.row_bytes;
    offset += bytes + padding(bytes);
  }
  out.append(static_cast<size_t>(padding(static_cast<int64_t>(out.size()))), '\0');
  return out;
}

void GgufWriter::write(const std::string& path,
                       const std::function<void(int64_t done, int64_t total)>& progress) const {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  const auto put_bytes = [&](const void* bytes, int64_t n) {
    if (!file.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(n)))
      throw Error(path + ": cannot write: " + std::strerror(errno));
  };
  const std::string head = header();
  put_bytes(head.data(), static_cast<int64_t>(head.size()));
  int64_t total = 0;
  int64_t done = 0;
  for (const Tensor& t : tensors_) total += t.rows * t.row_bytes;
  std::vector<std::byte> chunk;
  for (const Tensor& t : tensors_) {
    const int64_t step = std::max<int64_t>(1, kChunkBytes / t.row_bytes);
    for (int64_t r = 0; r < t.rows; r += step) {
      const int64_t rows = std::min(step, t.rows - r);
      chunk.resize(static_cast<size_t>(rows * t.row_bytes));
      t.fill(r, rows, chunk);
      put_bytes(chunk.data(), rows * t.row_bytes);
      progress(done += rows * t.row_bytes, total);
    }
    const std::byte zeros[kAlignment] = {};
    put_bytes(zeros, padding(t.rows * t.row_bytes));
  }
  file.close();
  if (!file) throw Error(path + ": cannot write: " + std::strerror(errno));
}

void encode_gguf(const GgufFormat& format, std::span<const float> x, std::byte* out) {
  const BlockFormat& blocks = block_format(quantised_as(format).value_or(format.dtype));
  encode_row(blocks, x.data(), static_cast<int64_t>(x.size()), out);
}

}  // namespace lmc
