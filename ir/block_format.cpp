#include "ir/block_format.h"

#include <algorithm>
#include <deque>

#include "ir/error.h"

namespace lmc {
namespace {

// A deque, so that formats stay where they are.
std::deque<BlockFormat>& formats() {
  static std::deque<BlockFormat> all;
  return all;
}

const BlockFormat* find(DType dtype) {
  for (const BlockFormat& f : formats()) {
    if (f.dtype == dtype) return &f;
  }
  return nullptr;
}

}  // namespace

RegisterBlockFormat::RegisterBlockFormat(BlockFormat format) {
  const auto known = dtype_from_name(format.name);
  format.dtype = known && is_float(*known) ? *known : register_dtype(format.name);
  if (find(format.dtype)) throw Error("format " + format.name + " is registered twice");
  formats().push_back(std::move(format));
}

const BlockFormat& block_format(DType dtype) {
  if (const BlockFormat* f = find(dtype)) return *f;
  throw Error("no weight is stored in " + std::string(dtype_name(dtype)));
}

std::vector<const BlockFormat*> block_formats() {
  std::vector<const BlockFormat*> out;
  for (const BlockFormat& f : formats()) {
    if (!f.partial) out.push_back(&f);
  }
  std::sort(out.begin(), out.end(),
            [](const BlockFormat* a, const BlockFormat* b) { return a->dtype < b->dtype; });
  return out;
}

void encode_row(const BlockFormat& format, const float* x, int64_t columns, std::byte* out,
                const float* importance) {
  const auto encode = [&](const float* numbers, const float* weights, int64_t count, std::byte* to) {
    weights&& format.encode_by ? format.encode_by(numbers, weights, count, to)
                               : format.encode(numbers, count, to);
  };
  const int64_t whole = columns / format.values, done = whole * format.values;
  encode(x, importance, whole, out);
  if (done == columns) return;
  const auto padded = [&](const float* from) {
    std::vector<float> out(static_cast<size_t>(format.values));
    std::copy(from + done, from + columns, out.begin());
    return out;
  };
  encode(padded(x).data(), importance ? padded(importance).data() : nullptr, 1, out + whole * format.bytes);
}

void decode_row(const BlockFormat& format, const std::byte* blocks, int64_t columns, float* out) {
  const int64_t whole = columns / format.values;
  format.decode(blocks, whole, out);
  if (whole * format.values == columns) return;
  std::vector<float> padded(static_cast<size_t>(format.values));
  format.decode(blocks + whole * format.bytes, 1, padded.data());
  std::copy_n(padded.begin(), columns - whole * format.values, out + whole * format.values);
}

void round_row(const BlockFormat& format, double* x, int64_t columns) {
  std::vector<float> row(x, x + columns);
  std::vector<std::byte> blocks(static_cast<size_t>(format.row_bytes(columns)));
  encode_row(format, row.data(), columns, blocks.data());
  decode_row(format, blocks.data(), columns, row.data());
  std::copy(row.begin(), row.end(), x);
}

bool is_weight_format(DType dtype) {
  const BlockFormat* f = find(dtype);
  return f && !f->partial && dtype != DType::f32;
}

std::string weight_format_names() {
  std::vector<const BlockFormat*> all = block_formats();
  std::erase_if(all, [](const BlockFormat* f) { return f->dtype == DType::f32; });
  std::stable_partition(all.begin(), all.end(), [](const BlockFormat* f) { return is_quantised(f->dtype); });
  std::string out;
  for (size_t i = 0; i < all.size(); ++i)
    out += (i == 0 ? "" : i + 1 < all.size() ? ", " : " or ") + all[i]->name;
  return out;
}

int64_t storage_bytes(DType t, int64_t elements, int64_t row_length) {
  if (t == DType::i32) return elements * 4;
  if (t == DType::kv_q8_0) return 2 * storage_bytes(DType::q8_0, elements, row_length);
  if (is_kv(t)) return elements * (t == DType::kv_f16 ? 4 : 8);  // a key and a value
  const BlockFormat& f = block_format(t);
  if (f.values == 1) return elements * f.bytes;
  if (row_length <= 0) return 0;
  return elements / row_length *
         (f.packed_row_bytes ? f.packed_row_bytes(row_length) : f.row_bytes(row_length));
}

}  // namespace lmc
