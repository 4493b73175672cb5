#include "ir/weight_view.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace lmc {

Matrix matrix(const Type& t) {
  if (t.rank() <= 1) return {1, t.elements()};
  return {t.elements() / std::max<int64_t>(t.last(), 1), t.last()};
}

WeightView WeightView::whole(ValueId leaf, const Matrix& m) {
  WeightView out;
  out.size_ = m;
  if (m.rows > 0 && m.cols > 0)
    out.boxes_.push_back({0, 0, leaf, false, Positions::range(0, m.rows), Positions::range(0, m.cols)});
  return out;
}

void WeightView::put(const WeightView& v, int64_t row, int64_t col) {
  for (WeightBox box : v.boxes_) {
    box.row += row;
    box.col += col;
    boxes_.push_back(std::move(box));
  }
}

// Boxes above each other become one where one leaf's columns go on in the next rows.
void WeightView::join() {
  std::sort(boxes_.begin(), boxes_.end(), [](const WeightBox& a, const WeightBox& b) {
    return std::pair(a.col, a.row) < std::pair(b.col, b.row);
  });
  std::vector<WeightBox> out;
  for (WeightBox& box : boxes_) {
    WeightBox* last = out.empty() ? nullptr : &out.back();
    if (last && last->col == box.col && last->row + last->rows() == box.row && last->leaf == box.leaf &&
        last->transposed == box.transposed && last->across == box.across) {
      last->down.add(box.down);
    } else {
      out.push_back(std::move(box));
    }
  }
  std::sort(out.begin(), out.end(), [](const WeightBox& a, const WeightBox& b) {
    return std::pair(a.row, a.col) < std::pair(b.row, b.col);
  });
  boxes_ = std::move(out);
}

WeightView WeightView::below(const std::vector<const WeightView*>& parts) {
  WeightView out;
  for (const WeightView* part : parts) {
    out.put(*part, out.size_.rows, 0);
    out.size_.rows += part->rows();
    out.size_.cols = part->cols();
  }
  out.join();
  return out;
}

WeightView WeightView::beside(const std::vector<const WeightView*>& parts) {
  std::vector<WeightView> turned;
  turned.reserve(parts.size());
  std::vector<const WeightView*> all;
  for (const WeightView* part : parts) all.push_back(&turned.emplace_back(part->transposed()));
  return below(all).transposed();
}

WeightView WeightView::transposed() const {
  WeightView out;
  out.size_ = {size_.cols, size_.rows};
  for (const WeightBox& b : boxes_)
    out.boxes_.push_back({b.col, b.row, b.leaf, !b.transposed, b.across, b.down});
  std::sort(out.boxes_.begin(), out.boxes_.end(), [](const WeightBox& a, const WeightBox& b) {
    return std::pair(a.row, a.col) < std::pair(b.row, b.col);
  });
  return out;
}

WeightView WeightView::pick_rows(const Positions& wanted) const {
  WeightView out;
  out.size_ = {wanted.size(), size_.cols};
  // Boxes begin in order; where the first of them that reaches row r stands is found by the furthest end so
  // far, which never falls.
  std::vector<int64_t> ends;
  for (const WeightBox& b : boxes_)
    ends.push_back(std::max(ends.empty() ? 0 : ends.back(), b.row + b.rows()));
  for (const Positions::Run& run : wanted.runs()) {
    const int64_t end = run.repeated ? run.from + 1 : run.from + run.count;
    auto i = static_cast<size_t>(std::upper_bound(ends.begin(), ends.end(), run.from) - ends.begin());
    for (; i < boxes_.size() && boxes_[i].row < end; ++i) {
      const WeightBox& b = boxes_[i];
      const int64_t first = std::max(run.from, b.row);
      const int64_t last = std::min(end, b.row + b.rows());
      if (first >= last) continue;
      const Positions down = run.repeated ? Positions::repeat(b.down[first - b.row], run.count)
                                          : b.down.pick(first - b.row, last - first);
      out.boxes_.push_back({run.at + first - run.from, b.col, b.leaf, b.transposed, down, b.across});
    }
  }
  out.join();
  return out;
}

WeightView WeightView::pick_columns(const Positions& wanted) const {
  return transposed().pick_rows(wanted).transposed();
}

WeightView WeightView::part(const WeightBox& box) const {
  if (box.transposed) return pick_rows(box.across).pick_columns(box.down).transposed();
  return pick_rows(box.down).pick_columns(box.across);
}

}  // namespace lmc
