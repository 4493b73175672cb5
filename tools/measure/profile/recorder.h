// Every step of a profiled run as it happened. Listens to a Session through SessionOptions::on_step.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/kernel_abi.h"
#include "tools/generate/step_sections.h"
#include "tools/measure/profile/system_counters.h"

namespace lmc {

enum class Phase : uint8_t { cold_prefill, prefill, decode };
inline constexpr std::array<const char*, 3> kPhaseNames = {"cold prefill", "prefill", "decode"};

// Seconds are counted from the begin of the step.
struct RecordedTile {
  int32_t stage = 0, tile = 0, slot = 0;
  double begin = 0, end = 0;
};

struct StepRecord {
  Phase phase = Phase::decode;
  bool decode_plan = true;  // else the prefill plan
  int64_t position = 0;     // of its first token
  StepInfo info = {};
  double start = 0;  // seconds since the recorder was made
  StepTimes times;
  std::vector<StageTime> stages;
  double busy = 0;                  // all tiles, all workers
  double between = 0;               // wall time in no stage's span
  SystemCounters system;            // what was counted while the step ran
  double clock = 0;                 // clock_probe(), the better of those before and after
  double reading = 0;               // seconds that counters and probe took, beside the step
  std::vector<RecordedTile> tiles;  // in order of their begin; only of some steps
};

class Recorder {
 public:
  // The threads that steps will run on must be there already: their counters are opened here.
  explicit Recorder(const Plan& plan);

  // What the steps that follow are, and where the sequence stands.
  void begin(Phase phase, int64_t position);
  void operator()(const StepPlan& plan, const StepInfo& step, const Profile& times);

  bool knows_waits() const { return counters_.knows_waits(); }
  const Plan& plan() const { return plan_; }
  const StepPlan& plan_of(const StepRecord& r) const { return r.decode_plan ? plan_.decode : plan_.prefill; }
  const std::vector<StagePlace>& places_of(const StepRecord& r) const {
    return r.decode_plan ? decode_ : prefill_;
  }
  const std::vector<StepRecord>& steps() const { return steps_; }
  std::vector<const StepRecord*> steps(Phase phase) const;

 private:
  // What the machine is like between two steps.
  struct Reading {
    SystemCounters counters;
    double clock = 0, seconds = 0;  // what it took
  };
  Reading look_before();
  Reading look_behind();
  void keep_tiles(StepRecord& record);

  const Plan& plan_;
  std::vector<StagePlace> decode_, prefill_;
  Profile::Clock::time_point origin_;
  Phase phase_ = Phase::decode;
  int64_t position_ = 0;
  std::vector<StepRecord> steps_;
  int64_t phase_steps_ = 0;
  CounterReader counters_;
  Reading before_;      // the next step
  size_t slowest_ = 0;  // decode step whose tiles are kept for being the slowest; 0: none yet
};

}  // namespace lmc
