// What a step of several rows costs beside one of fewer, from the steps of this process as they are timed.
// Knows nothing of what the rows hold.
#pragma once

#include <cstddef>
#include <vector>

namespace lmc {

class StepCosts {
 public:
  // Of steps of 1 … most_rows rows.
  explicit StepCosts(size_t most_rows);

  // A step of `rows` rows took so long; more rows than most_rows are passed over. `plain`: none of them was
  // there to be tried. A single outlier counts as twice what was expected, so that another process in the way
  // is not taken for the price.
  void add(size_t rows, bool plain, double seconds);

  // Times of a step of `base` rows, 1 or more: measured, or between or beyond what was measured. What was
  // measured too long ago counts no more.
  double of(size_t rows, size_t base) const;

  // Of a step of so many rows, as far as is known; 0 where nothing is.
  double seconds(size_t rows) const;

  // Is it time for a plain step of `base` rows, because its figure is missing or old? Not soon after another,
  // however the number changes.
  bool plain_is_due(size_t base) const;

 private:
  bool known(size_t rows) const;

  struct Rows {
    double seconds = 0;  // of late
    size_t count = 0, last = 0;
  };
  std::vector<Rows> rows_;
  size_t steps_ = 0, last_plain_ = 0;
};

}  // namespace lmc
