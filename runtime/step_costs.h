// What a step of several rows costs beside one of a single row, from the steps of this process as they are
// timed. Knows nothing of what the rows hold.
#pragma once

#include <cstddef>
#include <vector>

namespace lmc {

class StepCosts {
 public:
  // Of steps of 1 … most_rows rows.
  explicit StepCosts(size_t most_rows);

  // A step of `rows` rows took so long; more rows than most_rows are passed over. A single outlier counts as
  // twice what was expected, so that another process in the way is not taken for the price.
  void add(size_t rows, double seconds);

  // Times of a single row, 1 or more: measured, or between or beyond what was measured. What was measured too
  // long ago counts no more.
  double of(size_t rows) const;

  // Is it time for a step of a single row, because the figure of one is missing or old?
  bool single_is_due() const { return counts_[1] == 0 || steps_ - last_[1] >= kSingleEvery; }

 private:
  static constexpr size_t kSingleEvery = 64, kForget = 512;  // steps

  bool known(size_t rows) const { return counts_[rows] > 0 && steps_ - last_[rows] < kForget; }

  std::vector<double> seconds_;  // by rows: of late
  std::vector<size_t> counts_, last_;
  size_t steps_ = 0;
};

}  // namespace lmc
