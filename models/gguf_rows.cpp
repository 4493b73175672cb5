#include "models/gguf_rows.h"

#include <utility>

namespace lmc {
namespace {

// Rows [first, first + rows) of the transpose of what the source has.
void read_transposed(const GgufRows& t, int64_t height, int64_t width, int64_t first, int64_t rows,
                     std::span<float> out) {
  if (t.source.read_transposed(t.name, first * width, out)) return;
  std::vector<float> run(static_cast<size_t>(rows));
  for (int64_t c = 0; c < width; ++c) {
    t.source.read(t.name, c * height + first, run);
    for (int64_t r = 0; r < rows; ++r) out[static_cast<size_t>(r * width + c)] = run[static_cast<size_t>(r)];
  }
}

// A vector in the order its elements are stored in.
void read_vector(const GgufRows& t, int64_t size, std::span<float> out) {
  std::vector<float> x(static_cast<size_t>(size));
  t.source.read(t.name, 0, x);
  for (int64_t i = 0; i < size; ++i)
    out[static_cast<size_t>(i)] = x[static_cast<size_t>(t.how.checkpoint_row(size, i))];
}

}  // namespace

std::vector<int64_t> GgufRows::shape() const {
  std::vector<int64_t> dims = source.type(name)->dims;
  if (how.transpose) std::swap(dims[0], dims[1]);
  return dims;
}

void GgufRows::fill(int64_t first, int64_t rows, std::span<std::byte> out) const {
  const std::vector<int64_t> dims = shape();
  const int64_t width = dims.back();
  const int64_t height = dims.size() == 1 ? 1 : dims[0];
  const auto row_bytes = static_cast<size_t>(width / format->elements * format->bytes);
  const DType blocks = quantised_as(*format).value_or(DType::f32);
  const bool whole = is_quantised(blocks) && !how.changes_numbers();
  std::vector<float> x(static_cast<size_t>(rows * width));
  if (dims.size() == 1) {
    read_vector(*this, width, x);
  } else if (how.transpose) {
    if (whole && source.read_blocks(name, true, blocks, first, rows, out)) return;
    read_transposed(*this, height, width, first, rows, x);
  }
  for (int64_t r = 0; r < rows; ++r) {
    const auto row = std::span(x).subspan(static_cast<size_t>(r * width), static_cast<size_t>(width));
    const auto to = out.subspan(static_cast<size_t>(r) * row_bytes, row_bytes);
    if (dims.size() > 1 && !how.transpose) {
      const int64_t from = how.checkpoint_row(height, first + r);
      if (whole && source.read_blocks(name, false, blocks, from, 1, to)) continue;
      source.read(name, from * width, row);
    }
    if (how.changes_numbers()) {
      for (float& f : row) f = how.stored(f);
    }
    encode_gguf(*format, row, to.data());
  }
}

}  // namespace lmc
