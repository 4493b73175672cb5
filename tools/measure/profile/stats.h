// What a list of times amounts to.
#pragma once

#include <vector>

namespace lmc {

struct Stats {
  double mean = 0, min = 0, max = 0, variance = 0;  // variance of the population
  double p50 = 0, p90 = 0, p99 = 0;                 // as percentile() of tools/machine/statistics.h

  double spread() const { return min > 0 ? max / min : 0; }
};

Stats stats_of(std::vector<double> values);  // zeros for none

}  // namespace lmc
