#include "models/gguf/gguf_weights.h"

#include <algorithm>

#include "ir/block_format.h"
#include "ir/error.h"

namespace lmc {

void GgufWeights::add(const std::string& name, const std::string& stored, const GgufStorage& how) {
  const auto it = file_->tensors().find(stored);
  if (it == file_->tensors().end()) return;
  const GgufFile::Tensor& t = it->second;
  add_rows(name, {stored, &t, how, {t.format->dtype, t.shape}, 0, t.rows()});
}

void GgufWeights::add_stack(const std::vector<std::string>& names, const std::string& stored,
                            const GgufStorage& how) {
  const auto it = file_->tensors().find(stored);
  if (it == file_->tensors().end()) return;
  const GgufFile::Tensor& t = it->second;
  const auto count = static_cast<int64_t>(names.size());
  const size_t rank = t.shape.size();  // ggml leaves out a dimension of 1
  if (!(rank == 3 && t.shape[0] == count) && !(rank == 2 && count == 1)) {
    throw Error(file_->path() + ": tensor '" + stored + "' " + t.type_text() + " should be a stack of " +
                std::to_string(count) + " matrices");
  }
  const int64_t rows = t.rows() / count;
  for (int64_t i = 0; i < count; ++i) {
    add_rows(names[static_cast<size_t>(i)],
             {stored, &t, how, {t.format->dtype, {rows, t.columns()}}, i * rows, rows});
  }
}

void GgufWeights::add_rows(const std::string& name, Entry e) {
  const std::string where = file_->path() + ": tensor '" + e.stored + "' " + e.tensor->type_text();
  if (e.how.transpose) {
    if (e.type.rank() != 2) throw Error(where + " should be a matrix");
    std::swap(e.type.dims[0], e.type.dims[1]);
  }
  if (e.how.squeeze) {
    if (e.type.rank() != 2) throw Error(where + " should be a matrix");
    e.type.dims.insert(e.type.dims.begin() + 1, 1);
  }
  if (e.how.row > 0) {  // ggml leaves out a dimension of 1
    const int64_t numbers = e.rows * e.tensor->columns();
    const bool vector = e.type.rank() == 1 && numbers == e.how.row;
    if (!vector && !(e.type.rank() == 2 && e.tensor->columns() == e.how.row))
      throw Error(where + " should have rows of " + std::to_string(e.how.row) + " numbers");
    e.type.dims = {numbers};
  }
  if (!e.how.fits(e.type.rank() == 1 ? e.tensor->columns() : e.rows)) {
    throw Error(where + (e.how.rope_heads > 0
                             ? " does not have rows for " + std::to_string(e.how.rope_heads) +
                                   " heads of rotated pairs"
                             : " does not have rows for whole blocks of its parts"));
  }
  if (e.how.changes_numbers()) e.type.dtype = DType::f32;
  entries_.insert_or_assign(name, std::move(e));
}

std::optional<Type> GgufWeights::type(const std::string& name) const {
  const auto it = entries_.find(name);
  if (it == entries_.end()) return std::nullopt;
  return it->second.type;
}

const GgufWeights::Entry& GgufWeights::entry(const std::string& name) const {
  const auto it = entries_.find(name);
  if (it == entries_.end()) throw Error(file_->path() + ": there is no tensor for '" + name + "'");
  return it->second;
}

void GgufWeights::check_range(const Entry& e, int64_t first, size_t count) const {
  if (first < 0 || first > e.type.elements() - static_cast<int64_t>(count))
    throw Error(file_->path() + ": tensor '" + e.stored + "' is shorter than its use");
}

void GgufWeights::read(const std::string& name, int64_t first, std::span<float> out) const {
  const Entry& e = entry(name);
  check_range(e, first, out.size());
  if (e.how.transpose) {
    read_columns(e, first, out);
  } else if (e.type.rank() == 1) {
    read_vector(e, first, out);
  } else {
    read_stored(e, first, out);
  }
}

bool GgufWeights::read_transposed(const std::string& name, int64_t first, std::span<float> out) const {
  const Entry& e = entry(name);
  if (!e.how.transpose) return false;
  check_range(e, first, out.size());
  read_stored(e, first, out);
  return true;
}

// Elements [first, …) of the stored matrix, its rows in the checkpoint's order.
void GgufWeights::read_stored(const Entry& e, int64_t first, std::span<float> out) const {
  const int64_t columns = e.tensor->columns();
  for (size_t done = 0; done < out.size();) {
    const int64_t at = first + static_cast<int64_t>(done);
    const int64_t column = at % columns;
    const auto n = std::min(out.size() - done, static_cast<size_t>(columns - column));
    const auto part = out.subspan(done, n);
    file_->read_row(*e.tensor, e.first_row + e.how.stored_row(e.rows, at / columns), column, part);
    if (e.how.changes_numbers()) {
      for (float& x : part) x = e.how.checkpoint(x);
    }
    done += n;
  }
}

// Elements [first, …) of the transpose of what is stored: each stored row is decoded once, as far as needed.
void GgufWeights::read_columns(const Entry& e, int64_t first, std::span<float> out) const {
  if (out.empty()) return;
  const int64_t height = e.rows;
  const int64_t end = first + static_cast<int64_t>(out.size());
  const int64_t column = first / height;
  std::vector<float> part(static_cast<size_t>((end - 1) / height + 1 - column));
  for (int64_t r = 0; r < height; ++r) {
    file_->read_row(*e.tensor, e.first_row + r, column, part);
    for (size_t c = 0; c < part.size(); ++c) {
      const int64_t at = (column + static_cast<int64_t>(c)) * height + r;
      if (at >= first && at < end) out[static_cast<size_t>(at - first)] = e.how.checkpoint(part[c]);
    }
  }
}

// A vector's "rows" are its elements.
void GgufWeights::read_vector(const Entry& e, int64_t first, std::span<float> out) const {
  if (!e.how.reorders()) return read_stored(e, first, out);
  for (size_t i = 0; i < out.size(); ++i) {
    const int64_t from = e.how.stored_row(e.tensor->columns(), first + static_cast<int64_t>(i));
    file_->read_row(*e.tensor, 0, from, out.subspan(i, 1));
    out[i] = e.how.checkpoint(out[i]);
  }
}

std::optional<WeightSource::StoredFormat> GgufWeights::stored_format(const std::string& name) const {
  const Entry& e = entry(name);
  const GgufFormat& stored = *e.tensor->format;
  const auto nearest = nearest_kernel_format(stored);
  if (!nearest || e.how.changes_numbers() || e.type.rank() < 2 || e.how.squeeze) return std::nullopt;
  return StoredFormat{*nearest, quantised_as(stored) ? "" : stored.name};
}

bool GgufWeights::read_blocks(const std::string& name, bool transposed, DType format, int64_t first,
                              int64_t rows, std::span<std::byte> out) const {
  const Entry& e = entry(name);
  if (transposed != e.how.transpose || e.how.changes_numbers() || e.type.rank() < 2 || e.how.squeeze)
    return false;
  const GgufFormat& stored = *e.tensor->format;
  const bool same = quantised_as(stored) == format;
  if (!same && !(stored.as_nearest && nearest_kernel_format(stored) == format)) return false;
  const int64_t columns = e.tensor->columns();
  check_range(e, first * columns, static_cast<size_t>(rows * columns));
  const int64_t row_bytes = block_format(format).row_bytes(columns);
  for (int64_t r = 0; r < rows; ++r) {
    const auto row = file_->row(*e.tensor, e.first_row + e.how.stored_row(e.rows, first + r));
    std::byte* to = out.data() + r * row_bytes;
    same ? void(std::copy(row.begin(), row.end(), to))
         : stored.as_nearest(row.data(), columns / stored.elements, to);
  }
  return true;
}

}  // namespace lmc
