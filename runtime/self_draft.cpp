#include "runtime/self_draft.h"

#include <algorithm>

namespace lmc {
namespace {

constexpr double kKeep = 0.98;    // what is counted fades: some fifty guesses
constexpr double kAtFirst = 0.6;  // of a step, a guess, before one was made
constexpr double kGain = 1.03;    // a guess must promise this much, as figures are never exact
constexpr double kShareOfNew = 0.125, kMostTimes = 2;
// Where none pays one is tried so often: the text may have changed. It costs less than a step.
constexpr size_t kTryEvery = 64;

}  // namespace

// n guesses make 1 + p + p^2 + … + p^n tokens, and take n times a guess and a step of 1 + n rows.
size_t SelfDraft::length(const StepCosts& costs, size_t room) const {
  const double plain = costs.seconds(1);
  const double guess = seconds_ > 0 && plain > 0 ? seconds_ / plain : kAtFirst;
  size_t best = 0;
  double rate = kGain, tokens = 1, all_right = 1;
  for (size_t n = 1; n <= room; ++n) {
    all_right *= right_ / all_;
    tokens += all_right;
    const double now = tokens / (static_cast<double>(n) * guess + costs.of(1 + n, 1));
    if (now <= rate) break;  // each further guess makes fewer tokens than the one before it
    best = n;
    rate = now;
  }
  return best == 0 && passed_ >= kTryEvery ? std::min<size_t>(room, 1) : best;
}

void SelfDraft::add(size_t guesses, size_t right, double seconds) {
  for (size_t i = 0; i < std::min(right + 1, guesses); ++i) {
    right_ = right_ * kKeep + (i < right ? 1 : 0);
    all_ = all_ * kKeep + 1;
  }
  const double each = seconds / static_cast<double>(guesses);
  seconds_ =
      seconds_ == 0 ? each : seconds_ + kShareOfNew * (std::min(each, kMostTimes * seconds_) - seconds_);
  passed_ = 0;
}

}  // namespace lmc
