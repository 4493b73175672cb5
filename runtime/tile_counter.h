// What the runners of a stage share: which of its tiles are to be drawn, and how many are not done.
#pragma once

#include <atomic>
#include <cstdint>

namespace lmc {

// reset() happens before every other call of a step, and after all of the step before: whoever starts the
// runners, and waits for them, sees to that.
class TileCounter {
 public:
  void reset(int64_t tiles) {
    next_.store(0, std::memory_order_relaxed);
    undone_.store(tiles, std::memory_order_relaxed);
  }

  // The first of the next `width` tiles, nobody else's. Whoever draws knows how many there are.
  int64_t draw(int64_t width) { return next_.fetch_add(width, std::memory_order_relaxed); }
  // The tile that would be drawn now. A guess: others draw meanwhile.
  int64_t next() const { return next_.load(std::memory_order_relaxed); }
  // A runner has done as many. True for one runner of the stage, once all are done: it sees what all wrote.
  bool finish(int64_t count) { return undone_.fetch_sub(count, std::memory_order_acq_rel) == count; }

 private:
  // A cache line each. Relaxed: a draw hands over a number, and nothing that another runner wrote.
  alignas(64) std::atomic<int64_t> next_{0};
  // Release, because what a runner wrote must be there for those behind the stage; acquire, because the one
  // that finds nothing undone starts them on behalf of all. The decrements of others in between are
  // read-modify-writes, so that each runner's release reaches the last one.
  alignas(64) std::atomic<int64_t> undone_{0};
};

}  // namespace lmc
