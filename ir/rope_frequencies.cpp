#include "ir/rope_frequencies.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace lmc {
namespace {

// Llama 3's bands: slow lanes, which turn less than `low` times within the original context, are stretched by
// the factor; fast ones, which turn more than `high` times, are not; in between, something in between.
double stretched_by_band(double frequency, double factor, double low, double high, double original) {
  const double turns = original * frequency / (2 * std::numbers::pi);
  const double keep = std::clamp((turns - low) / (high - low), 0.0, 1.0);
  return frequency * (keep + (1 - keep) / factor);
}

}  // namespace

int64_t rope_border(const AttrMap& attrs) {
  return std::get<std::vector<double>>(attrs.at("long_factors")).empty()
             ? 0
             : std::get<int64_t>(attrs.at("original"));
}

double rope_scale(const AttrMap& attrs, bool beyond) {
  return std::get<double>(attrs.at(beyond ? "long_scale" : "short_scale"));
}

std::vector<double> rope_frequencies(const AttrMap& attrs, bool beyond) {
  const auto real = [&](const char* name) { return std::get<double>(attrs.at(name)); };
  const auto whole = [&](const char* name) { return std::get<int64_t>(attrs.at(name)); };
  const auto dims = static_cast<double>(whole("dims"));
  const double factor = real("factor");
  const double high = real("high_freq_factor");
  const auto& divisors = std::get<std::vector<double>>(attrs.at(beyond ? "long_factors" : "short_factors"));
  std::vector<double> out;
  for (int64_t j = 0; j < whole("dims") / 2; ++j) {
    const double f = std::pow(real("theta"), -2.0 * static_cast<double>(j) / dims);
    out.push_back(high > 0 ? stretched_by_band(f, factor, real("low_freq_factor"), high,
                                               static_cast<double>(whole("original")))
                           : f / factor);
    if (!divisors.empty()) out.back() /= divisors[static_cast<size_t>(j)];
  }
  return out;
}

}  // namespace lmc
