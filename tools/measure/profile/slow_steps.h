// Why some steps took longer than most: the time they took beyond the median, laid to what the system's
// counters and the times of the kernels say happened in them.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "tools/measure/profile/recorder.h"
#include "tools/measure/profile/stats.h"

namespace lmc {

// Steps beyond this multiple of the median are slow: of as many steps on each side as kAround says, since a
// step takes longer as the context grows.
inline constexpr double kSlow = 1.15;
inline constexpr size_t kAround = 32;
// A step is undisturbed if its threads lost less than this share of it to others.
inline constexpr double kUndisturbed = 0.01;

// In the order in which they are asked: what one explains, the next need not.
enum class Cause : uint8_t { preempted, stolen, page_faults, clock, memory, waiting, unknown };
inline constexpr size_t kCauses = 7;
inline constexpr std::array<const char*, kCauses> kCauseNames = {
    "preempted", "stolen", "page faults", "clock", "slower throughout", "waiting", "unknown"};
inline constexpr std::array<const char*, kCauses> kCauseMeanings = {
    "threads were ready, other processes had the cores",
    "a hypervisor gave the cores to others",
    "pages touched for the first time, or read from the disk",
    "the core's clock was slower",
    "all kernels, at the usual clock: others use the memory or the caches",
    "workers without a tile, or no kernel running: our own scheduling",
    "nothing above"};

// Seconds beyond the median of slow steps that each cause explains at the most, what is left being `unknown`.
using Excess = std::array<double, kCauses>;

struct SlowStep {
  size_t index = 0;  // among the steps given
  double excess = 0;
  Excess causes = {};  // adds up to excess
  Cause main() const;  // that explains most
};

struct SlowSteps {
  size_t of = 0;  // steps in all
  std::vector<SlowStep> steps;
  double excess = 0;
  Excess causes = {};                     // sums
  std::array<size_t, kCauses> main = {};  // slow steps of which it explains most
  // Steps whose threads lost next to nothing to others: what is left of jitter is our own.
  Stats undisturbed;
  size_t undisturbed_steps = 0;
  SystemCounters counted;  // over all steps
  double reading = 0;      // seconds that reading the counters took in a mean step, beside the step
};

// `fault`: seconds that a page fault takes (page_fault_seconds).
SlowSteps slow_steps(std::span<const StepRecord* const> steps, int threads, double fault);

}  // namespace lmc
