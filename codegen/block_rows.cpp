#include "codegen/block_rows.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace lmc {
namespace {

// How far y is from x; in eight sums, which compilers can keep in vectors.
PackError error_of_finite(const float* x, const float* y, int64_t n) {
  double signal[8] = {};
  double noise[8] = {};
  for (int64_t i = 0; i < n; i += 8) {
    for (int64_t l = 0; l < std::min<int64_t>(8, n - i); ++l) {
      const double exact = x[i + l];
      const double difference = exact - static_cast<double>(y[i + l]);
      signal[l] += exact * exact;
      noise[l] += difference * difference;
    }
  }
  PackError sum;
  for (int64_t l = 0; l < 8; ++l) sum += {signal[l], noise[l], 0};
  return sum;
}

// Numbers that are lost altogether are counted, not measured.
PackError error_of(const float* x, const float* y, int64_t n) {
  const PackError sum = error_of_finite(x, y, n);
  if (std::isfinite(sum.signal)) return sum;
  PackError rest;
  for (int64_t i = 0; i < n; ++i) {
    const bool whole = std::isfinite(x[i]) && !std::isnan(y[i]);
    rest += whole ? error_of_finite(x + i, y + i, 1) : PackError{0, 0, 1};
  }
  return rest;
}

class BlockReader {
 public:
  BlockReader(const WeightReader& reader, const WeightView& view, const BlockFormat& format,
              std::span<std::byte> out, std::span<PackError> errors, const InputStatistics& inputs)
      : reader_(reader), view_(view), format_(format), out_(out), errors_(errors), inputs_(inputs) {}

  void read() {
    int64_t done = 0;  // rows
    for (const WeightBox& box : view_.boxes()) {
      if (!may_be_stored(box)) continue;
      encode(done, box.row - done);
      for (const Positions::Run& run : box.down.runs()) stored(box, run);
      done = box.row + box.rows();
    }
    encode(done, view_.rows() - done);
  }

 private:
  // Whole rows of a tensor, or of its transpose.
  bool may_be_stored(const WeightBox& box) const {
    const Value& leaf = graph().value(box.leaf);
    const Matrix m = matrix(leaf.type);
    return leaf.kind == ValueKind::weight && box.cols() == view_.cols() && box.cols() % format_.values == 0 &&
           box.across.is_range(0, box.transposed ? m.rows : m.cols);
  }

  const Graph& graph() const { return reader_.graph(); }
  std::byte* row(int64_t r) const { return out_.data() + r * format_.row_bytes(view_.cols()); }

  // One run of a box's rows, as the checkpoint holds them if it does.
  void stored(const WeightBox& box, const Positions::Run& run) const {
    const int64_t first = box.row + run.at;
    const std::span<std::byte> to(row(first),
                                  static_cast<size_t>(run.count * format_.row_bytes(view_.cols())));
    const bool found =
        !run.repeated && reader_.source().read_blocks(graph().value(box.leaf).name, box.transposed,
                                                      format_.dtype, run.from, run.count, to);
    if (!found) return encode(first, run.count);
    const auto how = reader_.source().stored_format(graph().value(box.leaf).name);
    const bool same = !how || how->from.empty();
    std::vector<float> x(static_cast<size_t>(view_.cols()));
    std::vector<float> exact(x.size());
    for (int64_t r = first; r < first + run.count; ++r) {
      decode_row(format_, row(r), view_.cols(), x.data());
      if (!same) reader_.read(view_.pick_rows(Positions::range(r, 1)), exact);
      errors_[static_cast<size_t>(r)] += error_of(same ? x.data() : exact.data(), x.data(), view_.cols());
    }
  }

  void encode(int64_t first, int64_t rows) const {
    if (rows == 0) return;
    const int64_t columns = view_.cols();
    std::vector<float> x(static_cast<size_t>(rows * columns));
    std::vector<float> rounded(static_cast<size_t>(columns));
    reader_.read(view_.pick_rows(Positions::range(first, rows)), x);
    for (int64_t r = 0; r < rows; ++r) {
      const float* exact = x.data() + r * columns;
      const float* importance = inputs_.importance.empty() ? nullptr : inputs_.importance.data();
      if (inputs_.feedback && inputs_.feedback->columns() == columns) {
        inputs_.feedback->encode_row(format_, exact, importance, row(first + r));
      } else {
        encode_row(format_, exact, columns, row(first + r), importance);
      }
      decode_row(format_, row(first + r), columns, rounded.data());
      errors_[static_cast<size_t>(first + r)] += error_of(exact, rounded.data(), columns);
    }
  }

  const WeightReader& reader_;
  const WeightView& view_;
  const BlockFormat& format_;
  std::span<std::byte> out_;
  std::span<PackError> errors_;
  const InputStatistics& inputs_;
};

}  // namespace

void read_block_rows(const WeightReader& reader, const WeightView& view, const BlockFormat& format,
                     std::span<std::byte> out, std::span<PackError> errors, const InputStatistics& inputs) {
  if (view.cols() > 0) BlockReader(reader, view, format, out, errors, inputs).read();
}

}  // namespace lmc
