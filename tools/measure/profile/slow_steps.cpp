#include "tools/measure/profile/slow_steps.h"

#include <algorithm>
#include <numeric>

#include "tools/machine/statistics.h"

namespace lmc {
namespace {

double total(const StepRecord& s) { return s.times.total; }

double waiting(const StepRecord& s, int threads) { return std::max(0.0, s.times.total * threads - s.busy); }

// Time in tiles in which no thread ran, and not for want of a core that the kernel knows of. While a thread
// is in a tile it sleeps for nothing but a page from the disk.
double lost(const StepRecord& s) { return std::max(0.0, s.busy - s.system.on_core - s.system.waited); }

// What is usual: that much of a slow step is in the median, too.
struct Usual {
  double total = 0, clock = 0, waiting = 0, preempted = 0, lost = 0, minor_faults = 0;
  std::vector<double> stages;  // busy seconds
};

template <class Value>
double median_of(std::span<const StepRecord* const> steps, const Value& value) {
  std::vector<double> values;
  for (const StepRecord* s : steps) values.push_back(value(*s));
  return median(values);
}

Usual usual(std::span<const StepRecord* const> steps, int threads) {
  Usual u;
  u.total = median_of(steps, total);
  u.clock = median_of(steps, [](const StepRecord& s) { return s.clock; });
  u.waiting = median_of(steps, [&](const StepRecord& s) { return waiting(s, threads); });
  u.preempted = median_of(steps, [](const StepRecord& s) { return s.system.waited; });
  u.lost = median_of(steps, lost);
  u.minor_faults =
      median_of(steps, [](const StepRecord& s) { return static_cast<double>(s.system.minor_faults); });
  for (size_t i = 0; i < steps.front()->stages.size(); ++i)
    u.stages.push_back(median_of(steps, [&](const StepRecord& s) { return s.stages[i].busy; }));
  return u;
}

// The steps that one is held to.
std::span<const StepRecord* const> around(std::span<const StepRecord* const> steps, size_t i) {
  const size_t begin = i - std::min(i, kAround), end = std::min(i + kAround + 1, steps.size());
  return steps.subspan(begin, end - begin);
}

// By how much the kernels took longer than usual: the median over the time they usually take, so that a tile
// that was stopped for a while does not count.
double slower_throughout(const StepRecord& s, const Usual& u) {
  std::vector<std::pair<double, double>> ratios;  // and the weight of each
  double all = 0;
  for (size_t i = 0; i < u.stages.size(); ++i) {
    if (u.stages[i] <= 0) continue;
    ratios.emplace_back(s.stages[i].busy / u.stages[i], u.stages[i]);
    all += u.stages[i];
  }
  std::sort(ratios.begin(), ratios.end());
  double passed = 0;
  for (const auto& [ratio, weight] : ratios) {
    passed += weight;
    if (passed >= all / 2) return ratio - 1;
  }
  return 0;
}

Excess explain(const StepRecord& s, const Usual& u, int threads, double fault) {
  Excess out = {};
  double left = s.times.total - u.total;
  const auto lay_to = [&](Cause cause, double seconds) {
    const double share = std::clamp(seconds, 0.0, left);
    out[static_cast<size_t>(cause)] += share;
    left -= share;
  };
  const bool from_disk = s.system.major_faults > 0;
  const double lost_more = lost(s) - u.lost;
  lay_to(Cause::preempted, s.system.waited - u.preempted);
  if (from_disk) lay_to(Cause::page_faults, lost_more);
  lay_to(Cause::stolen, std::max(s.system.stolen, from_disk ? 0 : lost_more));
  lay_to(Cause::page_faults, fault * (static_cast<double>(s.system.minor_faults) - u.minor_faults));
  const double clock = u.clock > 0 ? (s.clock / u.clock - 1) * u.total : 0;
  lay_to(Cause::clock, clock);
  lay_to(Cause::memory, slower_throughout(s, u) * u.total - std::max(clock, 0.0));
  lay_to(Cause::waiting, (waiting(s, threads) - u.waiting) / threads);
  lay_to(Cause::unknown, left);
  return out;
}

}  // namespace

Cause SlowStep::main() const {
  return static_cast<Cause>(std::max_element(causes.begin(), causes.end()) - causes.begin());
}

SlowSteps slow_steps(std::span<const StepRecord* const> steps, int threads, double fault) {
  SlowSteps out;
  out.of = steps.size();
  if (steps.empty()) return out;
  std::vector<double> undisturbed;
  for (size_t i = 0; i < steps.size(); ++i) {
    const StepRecord& s = *steps[i];
    const auto near = around(steps, i);
    const double median = median_of(near, total);
    out.counted = out.counted + s.system;
    out.reading += s.reading / static_cast<double>(steps.size());
    if (s.system.waited + s.system.stolen + lost(s) < kUndisturbed * median)
      undisturbed.push_back(s.times.total);
    if (s.times.total <= kSlow * median) continue;
    SlowStep& slow = out.steps.emplace_back();
    slow = {i, s.times.total - median, explain(s, usual(near, threads), threads, fault)};
    out.excess += slow.excess;
    for (size_t c = 0; c < kCauses; ++c) out.causes[c] += slow.causes[c];
    ++out.main[static_cast<size_t>(slow.main())];
  }
  out.undisturbed_steps = undisturbed.size();
  out.undisturbed = stats_of(std::move(undisturbed));
  return out;
}

}  // namespace lmc
