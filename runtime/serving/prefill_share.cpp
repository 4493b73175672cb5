#include "runtime/serving/prefill_share.h"

#include <algorithm>

namespace lmc {
namespace {

constexpr int64_t kQuietFirst = 2;   // steps before a figure is believed, the faster of which counts
constexpr int64_t kQuietEvery = 64;  // steps after which it is measured again
constexpr int64_t kQuietApart = 8;   // steps, so that prompts get on, however the number of texts changes
constexpr double kWeightOfNew = 0.25, kOutlier = 2;

}  // namespace

PrefillShare::PrefillShare(double share, int64_t most_texts)
    : share_(share), quiet_(static_cast<size_t>(most_texts) + 1) {}

// Of as many texts, or of the most fewer ones that are known, which cost no more.
const PrefillShare::Quiet* PrefillShare::figure(int64_t texts) const {
  for (int64_t t = texts; t > 0; --t) {
    const Quiet& quiet = quiet_[static_cast<size_t>(t)];
    if (quiet.count >= kQuietFirst) return &quiet;
  }
  return nullptr;
}

int64_t PrefillShare::tokens(int64_t texts, int64_t room) {
  if (texts == 0 || share_ >= 1) return room;
  const Quiet* quiet = figure(texts);
  const bool fresh = quiet == &quiet_[static_cast<size_t>(texts)] && steps_ - quiet->when < kQuietEvery;
  if (!quiet || (!fresh && steps_ - last_quiet_ >= kQuietApart)) return 0;
  // No more than twice what was timed: the next tokens may cost more than the last.
  int64_t out = last_ > 0 ? 2 * last_ : token_seconds_ > 0 ? room : 1;
  if (token_seconds_ > 0) {
    const double time = quiet->seconds * share_ / (1 - share_);
    out = static_cast<int64_t>(std::min(static_cast<double>(out), time / token_seconds_));
  }
  asked_ = std::clamp<int64_t>(out, 1, room);
  return asked_;
}

void PrefillShare::took(int64_t texts, int64_t prompt_tokens, double seconds) {
  ++steps_;
  if (prompt_tokens == 0) {
    Quiet& quiet = quiet_[static_cast<size_t>(texts)];
    // What else the machine does may make a step longer, never shorter.
    if (quiet.count < kQuietFirst) {
      quiet.seconds = quiet.count == 0 ? seconds : std::min(quiet.seconds, seconds);
    } else {
      quiet.seconds += kWeightOfNew * (std::min(seconds, kOutlier * quiet.seconds) - quiet.seconds);
    }
    ++quiet.count;
    quiet.when = last_quiet_ = steps_;
    return;
  }
  // One text costs what none does: the weights are read.
  const Quiet* quiet = figure(std::max<int64_t>(texts, 1));
  const double beside = quiet ? quiet->seconds : 0;
  const double each = std::max(0.0, seconds - beside) / static_cast<double>(prompt_tokens);
  if (token_seconds_ <= 0 || (rough_ && quiet)) {
    token_seconds_ = each;
    rough_ = !quiet;
  }
  // A prompt's rest says little: the fewer tokens, the less each costs.
  if (!quiet || (texts > 0 && 2 * prompt_tokens < asked_)) return;
  token_seconds_ += kWeightOfNew * (std::min(each, kOutlier * token_seconds_) - token_seconds_);
  last_ = prompt_tokens;
}

}  // namespace lmc
