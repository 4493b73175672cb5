#include "tools/measure/profile/stats.h"

#include <algorithm>

#include "tools/machine/statistics.h"

namespace lmc {

Stats stats_of(std::vector<double> values) {
  Stats out;
  if (values.empty()) return out;
  std::sort(values.begin(), values.end());
  const auto count = static_cast<double>(values.size());
  for (const double v : values) out.mean += v / count;
  for (const double v : values) out.variance += (v - out.mean) * (v - out.mean) / count;
  out.min = values.front();
  out.max = values.back();
  out.p50 = percentile(values, 0.50);
  out.p90 = percentile(values, 0.90);
  out.p99 = percentile(values, 0.99);
  return out;
}

}  // namespace lmc
