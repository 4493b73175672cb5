// Two bundles measured in turn in one process, since a machine's speed drifts by more than most changes are
// worth.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "tools/generate/engine.h"
#include "tools/machine/statistics.h"
#include "tools/measure/bench/speed.h"

namespace lmc {

struct AbPlan {
  int64_t prompt = 128, tokens = 32, sequences = 0, depth = 0;  // any of the first three 0: not measured
  int threads = 0;
  int rounds = 10;
  std::string scheduler = kUsualScheduler;
  EngineLoad load;

  SpeedTest prefill() const { return {SpeedTest::Kind::prefill, prompt, 0}; }
  SpeedTest decode() const { return {SpeedTest::Kind::decode, tokens, depth}; }
  SpeedTest together() const { return {SpeedTest::Kind::sequences, sequences, depth}; }
};

// Tokens per second of both sides, round by round.
struct AbRates {
  std::array<std::vector<double>, 2> rates;

  Interval ratio() const;  // B over A
};

struct AbResult {
  int threads = 0;
  std::optional<AbRates> decode, prefill, together;  // together: all sequences' tokens
};

// How the interval came about, for those who read it.
inline constexpr const char* kAbMethod =
    "geometric mean of the rounds' ratios, 95% confidence by Student's t on their logarithms";

// UsageError if a test exceeds a bundle's context; Interrupted.
AbResult measure_ab(const std::array<std::string, 2>& bundles, const AbPlan& plan);

// `lmc compile model flags -o output` in a process of its own; returns `output`. Error with its message.
std::string compile_with(const std::string& model, const std::string& flags, const std::string& output);

}  // namespace lmc
