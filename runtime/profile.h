// Where the time of steps goes: begin and end of every tile, summed up by stage.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "ir/plan.h"

namespace lmc {

struct StageTime {
  double busy = 0;  // seconds, all tiles together
  double span = 0;  // seconds from the first tile's begin to the last one's end
};

// Filled by an Executor. Tiles write their own entry, so nothing is locked.
class Profile {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Profile(const StepPlan& plan);

  int64_t steps() const { return steps_; }
  int64_t tokens() const { return tokens_; }
  double seconds() const { return total_; }            // all steps
  double last_seconds() const { return last_total_; }  // the last step
  const std::vector<StageTime>& stages() const { return stages_; }
  const std::vector<StageTime>& last_stages() const { return last_; }
  void reset();

  // For the executor.
  void tile(size_t stage, int64_t tile, Clock::time_point begin, Clock::time_point end) {
    tiles_[first_[stage] + static_cast<size_t>(tile)] = {begin, end};
  }
  void step(int64_t tokens, Clock::time_point begin, Clock::time_point end);

 private:
  struct Interval {
    Clock::time_point begin, end;
  };
  std::vector<size_t> first_;  // of each stage in tiles_, and the end
  std::vector<Interval> tiles_;
  std::vector<StageTime> stages_, last_;
  double total_ = 0, last_total_ = 0;
  int64_t steps_ = 0, tokens_ = 0;
};

}  // namespace lmc
