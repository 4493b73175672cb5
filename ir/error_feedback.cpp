#include "ir/error_feedback.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

namespace lmc {
namespace {

// Added to each input's mean square, in parts of the mean of all: few texts say what never goes together.
constexpr double kDamping = 0.01;

std::map<std::string, RoundAt>& roundings() {
  static std::map<std::string, RoundAt> all;
  return all;
}

// In eight sums, which compilers can keep in vectors.
float dot(const float* a, const float* b, int64_t count) {
  float sums[8] = {};
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    for (int64_t l = 0; l < 8; ++l) sums[l] += a[i + l] * b[i + l];
  }
  float out = 0;
  for (; i < count; ++i) out += a[i] * b[i];
  for (const float s : sums) out += s;
  return out;
}

}  // namespace

RegisterRounding::RegisterRounding(const char* format, RoundAt round_at) {
  roundings().emplace(format, round_at);
}

// From the last column to the first: D_j = H_jj, U_ij = H_ij / D_j, and H without what they say of the
// others.
ErrorFeedback::ErrorFeedback(std::span<const double> products, int64_t columns) : columns_(columns) {
  const auto n = static_cast<size_t>(columns);
  std::vector<double> h(n * n);  // [j n + i], i <= j
  double mean = 0;
  for (size_t j = 0; j < n; ++j) {
    for (size_t i = 0; i <= j; ++i) h[j * n + i] = products[i * n + j];
    mean += h[j * n + j] / static_cast<double>(n);
  }
  for (size_t j = 0; j < n; ++j) h[j * n + j] += kDamping * mean;
  passed_on_.resize(n * n);
  std::vector<double> u(n);
  for (size_t j = n; j-- > 0;) {
    const double d = h[j * n + j];
    for (size_t i = 0; i < j; ++i) {
      u[i] = d > 0 ? h[j * n + i] / d : 0;
      passed_on_[j * n + i] = static_cast<float>(u[i]);
    }
    for (size_t k = 0; k < j; ++k) {
      for (size_t i = 0; i <= k; ++i) h[k * n + i] -= u[k] * u[i] * d;
    }
  }
}

// A block's scales are found for its numbers with what those in front of it pass on.
void ErrorFeedback::encode_row(const BlockFormat& format, const float* x, const float* importance,
                               std::byte* out) const {
  const auto rounding = roundings().find(format.name);
  if (rounding == roundings().end() ||
      !std::all_of(x, x + columns_, [](float f) { return std::isfinite(f); }))
    return lmc::encode_row(format, x, columns_, out, importance);
  std::vector<float> lost(static_cast<size_t>(columns_));
  for (int64_t first = 0; first < columns_; first += format.values, out += format.bytes) {
    const int64_t count = std::min(format.values, columns_ - first);
    std::vector<float> wanted(static_cast<size_t>(count));
    // To number j by those of [from, to).
    const auto passed_on = [&](int64_t j, int64_t from, int64_t to) {
      return dot(lost.data() + from, passed_on_.data() + j * columns_ + from, to - from);
    };
    for (int64_t i = 0; i < count; ++i)
      wanted[static_cast<size_t>(i)] = x[first + i] + passed_on(first + i, 0, first);
    lmc::encode_row(format, wanted.data(), count, out, importance ? importance + first : nullptr);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t j = first + i;
      const float now = wanted[static_cast<size_t>(i)] + passed_on(j, first, j);
      lost[static_cast<size_t>(j)] = x[j] - rounding->second(out, i, now);
    }
  }
}

}  // namespace lmc
