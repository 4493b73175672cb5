#include <algorithm>
#include <cmath>

#include "codegen/block_rows.h"
#include "codegen/layout.h"
#include "codegen/packed_form.h"
#include "ir/round_up.h"

namespace lmc {
struct WeightPacker::Shape {
  PackedForm form;
  int64_t apart;  // matrices of that shape, one after the other
  Matrix matrix;
  int64_t rows_per_chunk;  // whole groups

  int64_t chunks_of_each() const { return (matrix.rows + rows_per_chunk - 1) / rows_per_chunk; }
  // In its matrix.
  int64_t first_row(int64_t chunk) const { return chunk % chunks_of_each() * rows_per_chunk; }
  int64_t rows(int64_t chunk) const { return std::min(rows_per_chunk, matrix.rows - first_row(chunk)); }
};

WeightPacker::WeightPacker(const Graph& graph, std::vector<ValueId> packs, const WeightSource& source,
                           NotFinite not_finite, ColumnImportance importance)
    : graph_(graph),
      packs_(std::move(packs)),
      expressions_(graph, packs_),
      reader_(expressions_, source),
      not_finite_(not_finite),
      importance_(std::move(importance)) {
  importance_.resize(packs_.size());
}

WeightPacker::Shape WeightPacker::shape(size_t weight) const {
  const ValueId v = packs_[weight];
  Shape s{PackedForm(attr_string(*graph_.def_op(v), "layout")), 1, matrix(graph_.type(v)), 0};
  s.apart = s.form.apart(graph_.type(v));
  s.matrix.rows /= s.apart;
  // About a million elements at a time: little memory, long runs of the source.
  const int64_t slab = s.form.slab_rows;
  s.rows_per_chunk = std::clamp(round_up((int64_t{1} << 20) / std::max<int64_t>(s.matrix.cols, 1), slab),
                                slab, round_up(std::max<int64_t>(s.matrix.rows, 1), slab));
  return s;
}

int64_t WeightPacker::chunks(size_t weight) const {
  const Shape s = shape(weight);
  return s.apart * s.chunks_of_each();
}

int64_t WeightPacker::rows(size_t weight) const {
  const Shape s = shape(weight);
  return s.apart * s.matrix.rows;
}

int64_t WeightPacker::chunk_row(size_t weight, int64_t chunk) const {
  const Shape s = shape(weight);
  return chunk / s.chunks_of_each() * s.matrix.rows + s.first_row(chunk);
}

int64_t WeightPacker::chunk_offset(size_t weight, int64_t chunk) const {
  const Shape s = shape(weight);
  return chunk / s.chunks_of_each() * s.form.bytes(s.matrix) +
         s.form.bytes({s.first_row(chunk), s.matrix.cols});
}

int64_t WeightPacker::chunk_bytes(size_t weight, int64_t chunk) const {
  const Shape s = shape(weight);
  return s.form.bytes({s.rows(chunk), s.matrix.cols});
}

void WeightPacker::pack(size_t weight, int64_t chunk, std::span<std::byte> out,
                        std::span<PackError> errors) const {
  const Shape s = shape(weight);
  const int64_t first = chunk_row(weight, chunk);
  const int64_t rows = s.rows(chunk);
  const BlockFormat& format = *s.form.format;
  const int64_t row_bytes = format.row_bytes(s.matrix.cols);
  std::vector<std::byte> stored(s.form.layout ? static_cast<size_t>(rows * row_bytes) : 0);
  const std::span<std::byte> in = s.form.layout ? std::span(stored) : out;
  const WeightView part = expressions_.view(packs_[weight]).pick_rows(Positions::range(first, rows));
  errors = errors.subspan(static_cast<size_t>(first), static_cast<size_t>(rows));
  read_block_rows(reader_, part, format, in, errors, importance_[weight]);
  if (not_finite_ == NotFinite::refuse) {
    for (int64_t r = 0; r < rows; ++r) {
      if (errors[static_cast<size_t>(r)].not_finite > 0) refuse(part, r);
    }
  }
  if (!s.form.layout) return;
  for (int64_t r = 0; r < rows; r += s.form.slab_rows) {
    s.form.layout->pack_slab(in.data() + r * row_bytes, std::min(s.form.slab_rows, rows - r), s.matrix.cols,
                             out.data() + s.form.bytes({r, s.matrix.cols}));
  }
}

void WeightPacker::refuse(const WeightView& part, int64_t row) const {
  std::vector<float> x(static_cast<size_t>(part.cols()));
  reader_.read(part.pick_rows(Positions::range(row, 1)), x);
  const auto bad = std::find_if(x.begin(), x.end(), [](float f) { return !std::isfinite(f); });
  if (bad == x.end()) return;
  throw Error(reader_.place(part, row, bad - x.begin()) + ", is " +
              (std::isnan(*bad) ? "not a number" : "infinite") +
              ": nothing good can come of it; --allow-nan goes on all the same");
}

std::vector<std::byte> WeightPacker::pack(size_t weight, size_t slack) const {
  int64_t bytes = 0;
  for (int64_t c = 0; c < chunks(weight); ++c) bytes += chunk_bytes(weight, c);
  std::vector<std::byte> out(static_cast<size_t>(bytes) + slack);
  std::vector<PackError> errors(static_cast<size_t>(rows(weight)));
  for (int64_t c = 0; c < chunks(weight); ++c) {
    pack(weight, c,
         std::span(out).subspan(static_cast<size_t>(chunk_offset(weight, c)),
                                static_cast<size_t>(chunk_bytes(weight, c))),
         errors);
  }
  return out;
}

}  // namespace lmc
