// Where the time of steps goes: begin and end of every tile, summed up by stage.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "ir/plan.h"

namespace lmc {

struct StageTime {
  double busy = 0;  // seconds, all tiles together
  double span = 0;  // seconds from the first tile's begin to the last one's end
};

// One call of a kernel.
struct TileTime {
  int32_t stage = 0, tile = 0;
  std::chrono::steady_clock::time_point begin, end;
  int slot = 0;  // of the worker that ran it
};

// Filled by an Executor. Every worker writes tiles down for itself, so nothing is locked and no cache line
// goes to and fro; they are put together when the step has ended. Costs below 1% of a step
// (codegen/PERFORMANCE.md).
class Profile {
 public:
  using Clock = std::chrono::steady_clock;

  // `slots`: of the workers (Workers::slots).
  Profile(const StepPlan& plan, int slots);

  int64_t steps() const { return steps_; }
  int64_t tokens() const { return tokens_; }
  double seconds() const { return total_; }            // all steps
  double last_seconds() const { return last_total_; }  // the last step
  const std::vector<StageTime>& stages() const { return stages_; }
  const std::vector<StageTime>& last_stages() const { return last_; }
  // The tiles of a stage in the last step, and when that step began.
  std::span<const TileTime> last_tiles(size_t stage) const {
    return std::span(tiles_).subspan(first_[stage], first_[stage + 1] - first_[stage]);
  }
  Clock::time_point last_begin() const { return last_begin_; }
  void reset();

  // For the executor, on the thread that runs the tile. A worker's next tile of a stage begins where its last
  // one ended: that saves every second look at the clock.
  Clock::time_point begins(size_t stage, int slot) const {
    const auto& mine = written_[static_cast<size_t>(slot)];
    return !mine.empty() && mine.back().stage == static_cast<int32_t>(stage) ? mine.back().end : Clock::now();
  }
  void tile(size_t stage, int64_t tile, int slot, Clock::time_point begin, Clock::time_point end);
  void step(int64_t tokens, Clock::time_point begin, Clock::time_point end);

 private:
  std::vector<size_t> first_;                   // of each stage in tiles_, and the end
  std::vector<std::vector<TileTime>> written_;  // by slot, in the order they ran
  std::vector<TileTime> tiles_;                 // of the last step, by stage and tile
  std::vector<StageTime> stages_, last_;
  Clock::time_point last_begin_;
  double total_ = 0, last_total_ = 0;
  int64_t steps_ = 0, tokens_ = 0;
};

}  // namespace lmc
