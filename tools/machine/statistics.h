// The few statistics that measurements are told in.
#pragma once

#include <vector>

namespace lmc {

double mean(const std::vector<double>& v);
double median(std::vector<double> v);
// Of a sorted copy, between neighbours in proportion; p from 0 to 1.
double percentile(std::vector<double> v, double p);
double standard_deviation(const std::vector<double>& v);  // of a sample (n - 1); 0 for fewer than two

struct Interval {
  double value = 0, low = 0, high = 0;
};
// Geometric mean of positive ratios with its 95% confidence interval: Student's t on their logarithms, since
// a ratio and its inverse must weigh the same. With one ratio the interval is unknown: low = high = NaN.
Interval ratio_interval(const std::vector<double>& ratios);

}  // namespace lmc
