#include "ir/rope_frequencies.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

namespace lmc {
namespace {

// Llama 3's bands: slow lanes, which turn less than `low` times within the original context, are stretched by
// the factor; fast ones, which turn more than `high` times, are not; in between, something in between.
double stretched_by_band(double frequency, double factor, double low, double high, double original) {
  const double turns = original * frequency / (2 * std::numbers::pi);
  const double keep = std::clamp((turns - low) / (high - low), 0.0, 1.0);
  return frequency * (keep + (1 - keep) / factor);
}

// Yarn (Peng et al. 2023, https://arxiv.org/abs/2309.00071, section 3.2): the same with a ramp that is linear
// in the number of the pair of lanes, between those that turn beta_fast and beta_slow times.
class YarnRamp {
 public:
  explicit YarnRamp(const AttrMap& attrs) {
    const auto real = [&](const char* name) { return std::get<double>(attrs.at(name)); };
    const auto dims = static_cast<double>(std::get<int64_t>(attrs.at("dims")));
    const auto original = static_cast<double>(std::get<int64_t>(attrs.at("original")));
    const auto lane_of = [&](double turns) {
      return dims * std::log(original / (turns * 2 * std::numbers::pi)) / (2 * std::log(real("theta")));
    };
    const bool truncate = std::get<int64_t>(attrs.at("truncate")) == 1;
    const double first = lane_of(real("beta_fast"));
    const double last = lane_of(real("beta_slow"));
    first_ = std::max(truncate ? std::floor(first) : first, 0.0);
    last_ = std::min(truncate ? std::ceil(last) : last, dims - 1);
    if (first_ == last_) last_ += 0.001;  // a step, as the authors' code has it
  }

  // How much of the frequency of pair `j` is divided by the factor.
  double divided(double j) const { return std::clamp((j - first_) / (last_ - first_), 0.0, 1.0); }

 private:
  double first_ = 0, last_ = 0;
};

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
  std::optional<YarnRamp> yarn;
  if (real("beta_fast") > 0) yarn.emplace(attrs);
  std::vector<double> out;
  for (int64_t j = 0; j < whole("dims") / 2; ++j) {
    const double f = std::pow(real("theta"), -2.0 * static_cast<double>(j) / dims);
    const double divided = yarn ? yarn->divided(static_cast<double>(j)) : 1.0;
    out.push_back(high > 0 ? stretched_by_band(f, factor, real("low_freq_factor"), high,
                                               static_cast<double>(whole("original")))
                  : yarn   ? f * (1 - divided) + f / factor * divided
                           : f / factor);
    if (!divisors.empty()) out.back() /= divisors[static_cast<size_t>(j)];
  }
  return out;
}

}  // namespace lmc
