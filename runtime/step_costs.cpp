#include "runtime/step_costs.h"

#include <algorithm>

namespace lmc {
namespace {

// Of one more row, while nothing is known: little, so that it is tried and then known.
constexpr double kRowAtFirst = 0.02;
constexpr double kWeightOfNew = 0.125, kOutlier = 2;

}  // namespace

StepCosts::StepCosts(size_t most_rows)
    : seconds_(most_rows + 1), counts_(most_rows + 1), last_(most_rows + 1) {}

void StepCosts::add(size_t rows, double seconds) {
  if (rows == 0 || rows >= seconds_.size()) return;
  ++steps_;
  double& mean = seconds_[rows];
  if (!known(rows)) {
    // A first figure may be an outlier itself: later ones outweigh it soon.
    mean = seconds;
    counts_[rows] = 0;
  } else {
    const double weight = std::max(kWeightOfNew, 1.0 / static_cast<double>(counts_[rows] + 1));
    mean += weight * (std::min(seconds, kOutlier * mean) - mean);
  }
  ++counts_[rows];
  last_[rows] = steps_;
}

double StepCosts::of(size_t rows) const {
  if (rows <= 1 || counts_[1] == 0) return 1 + kRowAtFirst * static_cast<double>(rows - 1);
  size_t below = rows, above = rows;
  while (below > 1 && !known(below)) --below;
  while (above < seconds_.size() && !known(above)) ++above;
  const auto at = [&](size_t r) { return r == 1 ? 1.0 : std::max(1.0, seconds_[r] / seconds_[1]); };
  const auto between = static_cast<double>(rows - below);
  if (above >= seconds_.size()) return at(below) + kRowAtFirst * between;
  if (above == below) return at(rows);
  return at(below) + (at(above) - at(below)) * between / static_cast<double>(above - below);
}

}  // namespace lmc
