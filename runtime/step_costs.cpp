#include "runtime/step_costs.h"

#include <algorithm>

namespace lmc {
namespace {

// Of one more row, while nothing is known: little, so that it is tried and then known.
constexpr double kRowAtFirst = 0.02;
constexpr double kWeightOfNew = 0.125, kOutlier = 2;
constexpr size_t kPlainEvery = 64, kPlainApart = 8, kForget = 512;  // steps

}  // namespace

StepCosts::StepCosts(size_t most_rows) : rows_(most_rows + 1) {}

bool StepCosts::known(size_t rows) const {
  return rows_[rows].count > 0 && steps_ - rows_[rows].last < kForget;
}

void StepCosts::add(size_t rows, bool plain, double seconds) {
  if (rows == 0 || rows >= rows_.size()) return;
  ++steps_;
  Rows& r = rows_[rows];
  if (!known(rows)) {
    // A first figure may be an outlier itself: later ones outweigh it soon.
    r = {seconds, 0, 0};
  } else {
    const double weight = std::max(kWeightOfNew, 1.0 / static_cast<double>(r.count + 1));
    r.seconds += weight * (std::min(seconds, kOutlier * r.seconds) - r.seconds);
  }
  ++r.count;
  r.last = steps_;
  if (plain) last_plain_ = steps_;
}

bool StepCosts::plain_is_due(size_t base) const {
  if (base >= rows_.size()) return false;
  const bool fresh = rows_[base].count > 0 && steps_ - rows_[base].last < kPlainEvery;
  return !fresh && (last_plain_ == 0 || steps_ - last_plain_ >= kPlainApart);
}

double StepCosts::of(size_t rows, size_t base) const {
  if (rows <= base) return 1;
  const double one = seconds(base);
  if (one <= 0) return 1 + kRowAtFirst * static_cast<double>(rows - base);
  return std::max(1.0, seconds(rows) / one);
}

double StepCosts::seconds(size_t rows) const {
  size_t below = std::min(rows, rows_.size() - 1), above = rows;
  while (below > 0 && !known(below)) --below;
  while (above < rows_.size() && !known(above)) ++above;
  if (above < rows_.size() && (below == 0 || below == above)) return rows_[above].seconds;
  if (below == 0) return 0;
  const double least = rows_[below].seconds;
  const auto beyond = static_cast<double>(rows - below);
  if (above >= rows_.size()) return least * (1 + kRowAtFirst * beyond);
  return least + (rows_[above].seconds - least) * beyond / static_cast<double>(above - below);
}

}  // namespace lmc
