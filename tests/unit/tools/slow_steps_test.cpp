#include "tools/measure/profile/slow_steps.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <chrono>
#include <numeric>

#include "ir/seconds.h"

namespace lmc {
namespace {

constexpr int kThreads = 2;
constexpr double kFault = 1e-6;

// Ten stages of a millisecond on each of two threads, and nothing that disturbs it.
StepRecord usual_step() {
  StepRecord s;
  s.times.total = 0.010;
  s.stages.assign(10, {0.002, 0.001});
  s.busy = 0.020;
  s.system.on_core = 0.020;
  s.clock = 5e-6;
  s.reading = 1e-5;
  return s;
}

void take_longer(StepRecord& s, double factor) {
  s.times.total *= factor;
  s.busy *= factor;
  s.system.on_core *= factor;
  for (StageTime& stage : s.stages) stage.busy *= factor;
}

// Nine usual steps and this one.
SlowSteps with(const StepRecord& slow) {
  const std::vector<StepRecord> usual(9, usual_step());
  std::vector<const StepRecord*> steps;
  for (const StepRecord& s : usual) steps.push_back(&s);
  steps.push_back(&slow);
  return slow_steps(steps, kThreads, kFault);
}

void expect_cause(const StepRecord& slow, Cause cause, double seconds) {
  const SlowSteps found = with(slow);
  ASSERT_EQ(found.steps.size(), 1u);
  const SlowStep& s = found.steps[0];
  EXPECT_EQ(s.index, 9u);
  EXPECT_EQ(kCauseNames[static_cast<size_t>(s.main())], kCauseNames[static_cast<size_t>(cause)]);
  EXPECT_NEAR(s.causes[static_cast<size_t>(cause)], seconds, 1e-9);
  EXPECT_NEAR(std::accumulate(s.causes.begin(), s.causes.end(), 0.0), s.excess, 1e-12);
  EXPECT_EQ(found.main[static_cast<size_t>(cause)], 1u);
  EXPECT_EQ(found.excess, s.excess);
}

TEST(SlowSteps, AreNoneAmongEqualOnes) {
  const SlowSteps found = with(usual_step());
  EXPECT_TRUE(found.steps.empty());
  EXPECT_EQ(found.of, 10u);
  EXPECT_EQ(found.undisturbed_steps, 10u);
  EXPECT_DOUBLE_EQ(found.undisturbed.p99, 0.010);
  EXPECT_NEAR(found.counted.on_core, 0.2, 1e-12);
  EXPECT_DOUBLE_EQ(found.reading, 1e-5);
  EXPECT_TRUE(slow_steps({}, kThreads, kFault).steps.empty());
}

TEST(SlowSteps, BeginAboveTheBorder) {
  StepRecord s = usual_step();
  s.times.total = 0.0115;
  EXPECT_TRUE(with(s).steps.empty());
  s.times.total = 0.0116;
  EXPECT_EQ(with(s).steps.size(), 1u);
}

TEST(SlowSteps, AreHeldToThoseAroundThem) {
  std::vector<StepRecord> all(400, usual_step());
  for (size_t i = 0; i < all.size(); ++i) take_longer(all[i], 1 + 0.002 * static_cast<double>(i));
  std::vector<const StepRecord*> steps;
  for (const StepRecord& s : all) steps.push_back(&s);
  EXPECT_TRUE(slow_steps(steps, kThreads, kFault).steps.empty());
  take_longer(all[100], 1.2);
  const SlowSteps found = slow_steps(steps, kThreads, kFault);
  ASSERT_EQ(found.steps.size(), 1u);
  EXPECT_EQ(found.steps[0].index, 100u);
}

TEST(SlowSteps, WaitForACoreThatOthersHave) {
  StepRecord s = usual_step();
  s.times.total = 0.014;
  s.busy = 0.024;  // in one tile
  s.stages[3].busy += 0.004;
  s.system.waited = 0.004;
  expect_cause(s, Cause::preempted, 0.004);
  EXPECT_EQ(with(s).undisturbed_steps, 9u);
}

TEST(SlowSteps, LoseTheirCoreToAHypervisor) {
  StepRecord s = usual_step();
  s.times.total = 0.014;
  s.busy = 0.024;  // but no thread ran, and none waited
  s.stages[3].busy += 0.004;
  expect_cause(s, Cause::stolen, 0.004);
  EXPECT_EQ(with(s).undisturbed_steps, 9u);
  s = usual_step();
  s.times.total = 0.012;
  s.system.stolen = 0.01;  // a tick
  expect_cause(s, Cause::stolen, 0.002);
}

TEST(SlowSteps, WaitForPages) {
  StepRecord s = usual_step();
  s.times.total = 0.014;
  s.system.minor_faults = 3000;
  expect_cause(s, Cause::page_faults, 0.003);
  s.system.minor_faults = 0;
  s.system.major_faults = 1;
  s.busy = 0.024;
  expect_cause(s, Cause::page_faults, 0.004);
}

TEST(SlowSteps, RunAtASlowerClock) {
  StepRecord s = usual_step();
  take_longer(s, 1.2);
  s.clock *= 1.25;
  expect_cause(s, Cause::clock, 0.002);
}

TEST(SlowSteps, HaveSlowerKernelsThroughout) {
  StepRecord s = usual_step();
  take_longer(s, 1.2);
  expect_cause(s, Cause::memory, 0.002);
}

TEST(SlowSteps, HaveWorkersWaiting) {
  StepRecord s = usual_step();
  s.times.total = 0.013;
  expect_cause(s, Cause::waiting, 0.003);
}

TEST(SlowSteps, AreUnknownIfOneKernelIsSlow) {
  StepRecord s = usual_step();
  s.times.total = 0.012;
  s.busy = s.system.on_core = 0.024;
  s.stages[3].busy += 0.004;
  expect_cause(s, Cause::unknown, 0.002);
}

TEST(SystemCounters, CountWhatThisThreadDoes) {
  CounterReader reader;
  const SystemCounters before = reader.read();
  const auto begin = std::chrono::steady_clock::now();
  SystemCounters ran;
  do {
    ran = reader.read() - before;
  } while (ran.on_core < 0.01 && seconds_since(begin) < 10);
  EXPECT_GE(ran.on_core, 0.01);
  EXPECT_GE(ran.waited, 0);
  EXPECT_GE(ran.stolen, 0);

  constexpr size_t kPages = 64, kPage = 4096;
  void* memory = mmap(nullptr, kPages * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  madvise(memory, kPages * kPage, MADV_NOHUGEPAGE);
  const SystemCounters untouched = reader.read();
  for (size_t page = 0; page < kPages; ++page) static_cast<volatile char*>(memory)[page * kPage] = 1;
  EXPECT_GE((reader.read() - untouched).minor_faults, static_cast<int64_t>(kPages));
  munmap(memory, kPages * kPage);
}

TEST(SystemCounters, ProbesTakeTime) {
  EXPECT_GT(page_fault_seconds(), 1e-9);
  EXPECT_GT(clock_probe(), 1e-7);
}

}  // namespace
}  // namespace lmc
