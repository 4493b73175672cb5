#include "runtime/profile.h"

#include <algorithm>

namespace lmc {
namespace {

double seconds_between(Profile::Clock::time_point begin, Profile::Clock::time_point end) {
  return std::chrono::duration<double>(end - begin).count();
}

}  // namespace

Profile::Profile(const StepPlan& plan, int slots)
    : written_(static_cast<size_t>(slots)), stages_(plan.stages.size()), last_(plan.stages.size()) {
  size_t count = 0;
  for (const PlanStage& s : plan.stages) {
    first_.push_back(count);
    count += static_cast<size_t>(s.tiles);
  }
  first_.push_back(count);
  tiles_.resize(count);
  for (auto& w : written_) w.reserve(count);
}

void Profile::reset() {
  std::fill(stages_.begin(), stages_.end(), StageTime{});
  std::fill(last_.begin(), last_.end(), StageTime{});
  total_ = last_total_ = 0;
  steps_ = tokens_ = 0;
}

void Profile::tile(size_t stage, int64_t tile, int slot, Clock::time_point begin, Clock::time_point end) {
  written_[static_cast<size_t>(slot)].push_back(
      {static_cast<int32_t>(stage), static_cast<int32_t>(tile), begin, end, slot});
}

void Profile::step(int64_t tokens, Clock::time_point begin, Clock::time_point end) {
  for (auto& worker : written_) {
    for (const TileTime& t : worker)
      tiles_[first_[static_cast<size_t>(t.stage)] + static_cast<size_t>(t.tile)] = t;
    worker.clear();
  }
  for (size_t s = 0; s < stages_.size(); ++s) {
    last_[s] = {};
    if (first_[s] == first_[s + 1]) continue;
    TileTime all = tiles_[first_[s]];
    for (size_t i = first_[s]; i < first_[s + 1]; ++i) {
      last_[s].busy += seconds_between(tiles_[i].begin, tiles_[i].end);
      all.begin = std::min(all.begin, tiles_[i].begin);
      all.end = std::max(all.end, tiles_[i].end);
    }
    last_[s].span = seconds_between(all.begin, all.end);
    stages_[s].busy += last_[s].busy;
    stages_[s].span += last_[s].span;
  }
  last_begin_ = begin;
  last_total_ = seconds_between(begin, end);
  total_ += last_total_;
  ++steps_;
  tokens_ += tokens;
}

}  // namespace lmc
