#include "models/export/gguf_rows.h"

#include <algorithm>
#include <utility>

namespace lmc {
namespace {

// Rows [first, first + rows) of the transpose of what the source has.
void read_transposed(const WeightSource& source, const std::string& name, int64_t height, int64_t width,
                     int64_t first, int64_t rows, std::span<float> out) {
  if (source.read_transposed(name, first * width, out)) return;
  std::vector<float> run(static_cast<size_t>(rows));
  for (int64_t c = 0; c < width; ++c) {
    source.read(name, c * height + first, run);
    for (int64_t r = 0; r < rows; ++r) out[static_cast<size_t>(r * width + c)] = run[static_cast<size_t>(r)];
  }
}

// A vector in the order its elements are stored in.
void read_vector(const WeightSource& source, const std::string& name, const GgufStorage& how,
                 std::span<float> out) {
  std::vector<float> x(out.size());
  source.read(name, 0, x);
  const auto size = static_cast<int64_t>(out.size());
  for (int64_t i = 0; i < size; ++i)
    out[static_cast<size_t>(i)] = x[static_cast<size_t>(how.checkpoint_row(size, i))];
}

}  // namespace

std::vector<int64_t> GgufRows::shape_of_each() const {
  std::vector<int64_t> dims = source.type(names[0])->dims;
  if (how.transpose) std::swap(dims[0], dims[1]);
  if (how.squeeze) dims.erase(dims.begin() + 1);
  if (how.row > 0) dims = {dims[0] / how.row, how.row};
  return dims;
}

std::vector<int64_t> GgufRows::shape() const {
  std::vector<int64_t> dims = shape_of_each();
  if (stack) dims.insert(dims.begin(), static_cast<int64_t>(names.size()));
  return dims;
}

void GgufRows::fill(int64_t first, int64_t rows, std::span<std::byte> out) const {
  if (!stack) return fill_one(names[0], first, rows, out);
  const int64_t height = shape_of_each()[0];
  const size_t row_bytes = out.size() / static_cast<size_t>(rows);
  for (int64_t done = 0, n = 0; done < rows; done += n) {
    const int64_t at = first + done;
    n = std::min(rows - done, height - at % height);
    fill_one(names[static_cast<size_t>(at / height)], at % height, n,
             out.subspan(static_cast<size_t>(done) * row_bytes, static_cast<size_t>(n) * row_bytes));
  }
}

void GgufRows::fill_one(const std::string& name, int64_t first, int64_t rows,
                        std::span<std::byte> out) const {
  const std::vector<int64_t> dims = shape_of_each();
  const int64_t width = dims.back();
  int64_t height = 1;
  for (size_t i = 0; i + 1 < dims.size(); ++i) height *= dims[i];
  const auto row_bytes = static_cast<size_t>(width / format->elements * format->bytes);
  const DType blocks = quantised_as(*format).value_or(DType::f32);
  const bool whole = is_quantised(blocks) && !how.changes_numbers();
  std::vector<float> x(static_cast<size_t>(rows * width));
  if (dims.size() == 1) {
    read_vector(source, name, how, x);
  } else if (how.transpose) {
    if (whole && source.read_blocks(name, true, blocks, first, rows, out)) return;
    read_transposed(source, name, height, width, first, rows, x);
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
