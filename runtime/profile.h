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
  std::chrono::steady_clock::time_point begin, end;
  int slot = 0;  // of the worker that ran it
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
  // The tiles of a stage in the last step, and when that step began.
  std::span<const TileTime> last_tiles(size_t stage) const {
    return std::span(tiles_).subspan(first_[stage], first_[stage + 1] - first_[stage]);
  }
  Clock::time_point last_begin() const { return last_begin_; }
  void reset();

  // For the executor, on the thread that ran the tile.
  void tile(size_t stage, int64_t tile, Clock::time_point begin, Clock::time_point end);
  void step(int64_t tokens, Clock::time_point begin, Clock::time_point end);

 private:
  std::vector<size_t> first_;  // of each stage in tiles_, and the end
  std::vector<TileTime> tiles_;
  std::vector<StageTime> stages_, last_;
  Clock::time_point last_begin_;
  double total_ = 0, last_total_ = 0;
  int64_t steps_ = 0, tokens_ = 0;
};

}  // namespace lmc
