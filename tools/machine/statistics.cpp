#include "tools/machine/statistics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

namespace lmc {
namespace {

// The 0.975 quantile of Student's t with 1, 2, … degrees of freedom (any table).
constexpr std::array<double, 30> kStudent = {
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120,  2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042};

double student(size_t degrees) {
  return degrees <= kStudent.size() ? kStudent[degrees - 1] : 1.960 + 2.5 / static_cast<double>(degrees);
}

}  // namespace

double mean(const std::vector<double>& v) {
  return v.empty() ? 0 : std::accumulate(v.begin(), v.end(), 0.0) / static_cast<double>(v.size());
}

double median(std::vector<double> v) { return percentile(std::move(v), 0.5); }

double percentile(std::vector<double> v, double p) {
  if (v.empty()) return 0;
  std::sort(v.begin(), v.end());
  const double at = p * static_cast<double>(v.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, v.size() - 1);
  return v[below] + (at - static_cast<double>(below)) * (v[above] - v[below]);
}

double standard_deviation(const std::vector<double>& v) {
  if (v.size() < 2) return 0;
  const double m = mean(v);
  double squares = 0;
  for (double x : v) squares += (x - m) * (x - m);
  return std::sqrt(squares / static_cast<double>(v.size() - 1));
}

Interval ratio_interval(const std::vector<double>& ratios) {
  std::vector<double> logs;
  for (double r : ratios) logs.push_back(std::log(r));
  const double center = mean(logs);
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  if (logs.size() < 2) return {std::exp(center), kUnknown, kUnknown};
  const double half =
      student(logs.size() - 1) * standard_deviation(logs) / std::sqrt(static_cast<double>(logs.size()));
  return {std::exp(center), std::exp(center - half), std::exp(center + half)};
}

}  // namespace lmc
