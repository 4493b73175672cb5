#include "ir/checkpoint_box.h"

#include <algorithm>
#include <span>
#include <vector>

namespace lmc {
namespace {

constexpr int64_t kBatch = 1 << 16;  // numbers read ahead of where they go
constexpr int64_t kGap = 32;         // numbers that are rather read than left out between two runs

class BoxReader {
 public:
  BoxReader(const WeightSource& source, const Value& tensor, const WeightBox& box, float* out, int64_t stride)
      : source_(source), name_(tensor.name), box_(box), out_(out), stride_(stride) {
    const Matrix m = matrix(tensor.type);
    along_ = box.transposed ? m.rows : m.cols;
    cols_ = m.cols;
  }

  void read() {
    for (const Positions::Run& run : box_.down.runs()) {
      const int64_t count = run.repeated ? 1 : run.count;
      if (!rows(run.at, run.from, count)) return columns();
      for (int64_t i = count; i < run.count; ++i) std::copy_n(row(run.at), box_.cols(), row(run.at + i));
    }
  }

 private:
  float* row(int64_t r) const { return out_ + r * stride_; }

  // Whole rows of the tensor, or of its transpose where the box is of that; false if the checkpoint has that
  // not as it is.
  bool whole_rows(int64_t from, int64_t count, float* out) const {
    const std::span<float> to(out, static_cast<size_t>(count * along_));
    if (box_.transposed) return source_.read_transposed(name_, from * along_, to);
    source_.read(name_, from * along_, to);
    return true;
  }

  // `count` neighbouring rows from `from` on, to row `at` of the box; false if the checkpoint has only
  // columns.
  bool rows(int64_t at, int64_t from, int64_t count) const {
    if (box_.across.is_range(0, along_) && stride_ == along_) return whole_rows(from, count, row(at));
    if (box_.transposed || 4 * box_.cols() > along_) return gathered(at, from, count);
    for (int64_t r = 0; r < count; ++r) parts((from + r) * cols_, box_.across, row(at + r), 1);
    return true;
  }

  // By way of whole rows, where most of them is wanted.
  bool gathered(int64_t at, int64_t from, int64_t count) const {
    const int64_t step = std::clamp<int64_t>(kBatch / std::max<int64_t>(along_, 1), 1, count);
    std::vector<float> x(static_cast<size_t>(step * along_));
    for (int64_t r = 0; r < count; r += step) {
      const int64_t n = std::min(step, count - r);
      if (!whole_rows(from + r, n, x.data())) return false;
      for (int64_t i = 0; i < n; ++i) pick(x.data() + i * along_, 0, box_.across.runs(), row(at + r + i), 1);
    }
    return true;
  }

  // Of a tensor that the checkpoint has the other way round: parts of its rows are the columns.
  void columns() const {
    for (int64_t c = 0; c < box_.cols(); ++c) parts(box_.across[c] * cols_, box_.down, out_ + c, stride_);
  }

  // `places` behind `first`, to numbers `step` apart. Runs that nearly touch are read as one.
  void parts(int64_t first, const Positions& places, float* out, int64_t step) const {
    const auto& runs = places.runs();
    std::vector<float> x;
    for (size_t i = 0, next = 0; i < runs.size(); i = next) {
      int64_t end = runs[i].from + (runs[i].repeated ? 1 : runs[i].count);
      for (next = i + 1; next < runs.size() && runs[next].from >= end && runs[next].from <= end + kGap;
           ++next)
        end = runs[next].from + (runs[next].repeated ? 1 : runs[next].count);
      x.resize(static_cast<size_t>(end - runs[i].from));
      source_.read(name_, first + runs[i].from, x);
      pick(x.data(), runs[i].from, std::span(runs).subspan(i, next - i), out, step);
    }
  }

  // x[0] is at place `from`.
  static void pick(const float* x, int64_t from, std::span<const Positions::Run> runs, float* out,
                   int64_t step) {
    for (const Positions::Run& run : runs) {
      if (!run.repeated && step == 1) {
        std::copy_n(x + run.from - from, run.count, out + run.at);
      } else {
        for (int64_t i = 0; i < run.count; ++i) out[(run.at + i) * step] = x[run.place(i) - from];
      }
    }
  }

  const WeightSource& source_;
  const std::string& name_;
  const WeightBox& box_;
  float* out_;
  int64_t stride_;
  int64_t along_;  // length of a row as the box has them
  int64_t cols_;   // of the tensor
};

}  // namespace

void read_box(const WeightSource& source, const Value& tensor, const WeightBox& box, float* out,
              int64_t stride) {
  BoxReader(source, tensor, box, out, stride).read();
}

}  // namespace lmc
