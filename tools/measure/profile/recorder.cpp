#include "tools/measure/profile/recorder.h"

#include <algorithm>

#include "ir/seconds.h"

namespace lmc {
namespace {

// Tiles are kept of this many steps of each phase, and of the slowest decode step.
constexpr int64_t kTracedSteps = 8;

std::vector<RecordedTile> tiles_of(const StepPlan& plan, const Profile& times) {
  const auto since = [&](Profile::Clock::time_point t) {
    return std::chrono::duration<double>(t - times.last_begin()).count();
  };
  std::vector<RecordedTile> out;
  for (size_t s = 0; s < plan.stages.size(); ++s) {
    int32_t index = 0;
    for (const TileTime& t : times.last_tiles(s))
      out.push_back({static_cast<int32_t>(s), index++, t.slot, since(t.begin), since(t.end)});
  }
  std::sort(out.begin(), out.end(),
            [](const RecordedTile& a, const RecordedTile& b) { return a.begin < b.begin; });
  return out;
}

// Wall time of the step outside [first begin, last end] of every stage.
double time_between_stages(const std::vector<RecordedTile>& tiles, size_t stages, double total) {
  struct Span {
    double begin = -1, end = 0;
  };
  std::vector<Span> spans(stages);
  for (const RecordedTile& t : tiles) {
    Span& s = spans[static_cast<size_t>(t.stage)];
    if (s.begin < 0) s.begin = t.begin;  // tiles are sorted
    s.end = std::max(s.end, t.end);
  }
  std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) { return a.begin < b.begin; });
  double covered = 0;
  double reached = 0;
  for (const Span& s : spans) {
    covered += std::max(0.0, s.end - std::max(s.begin, reached));
    reached = std::max(reached, s.end);
  }
  return std::max(0.0, total - covered);
}

}  // namespace

Recorder::Recorder(const Plan& plan)
    : plan_(plan),
      decode_(stage_places(plan.decode)),
      prefill_(stage_places(plan.prefill)),
      origin_(Profile::Clock::now()) {}

void Recorder::begin(Phase phase, int64_t position) {
  if (phase != phase_) phase_steps_ = 0;
  phase_ = phase;
  position_ = position;
  before_ = look_before();
}

// The probe must not be counted as a part of the step.
Recorder::Reading Recorder::look_before() {
  const auto begin = Profile::Clock::now();
  Reading out;
  out.clock = clock_probe();
  out.counters = counters_.read();
  out.seconds = seconds_since(begin);
  return out;
}

Recorder::Reading Recorder::look_behind() {
  const auto begin = Profile::Clock::now();
  Reading out;
  out.counters = counters_.read();
  out.clock = clock_probe();
  out.seconds = seconds_since(begin);
  return out;
}

void Recorder::operator()(const StepPlan& plan, const StepInfo& step, const Profile& times) {
  const Reading behind = look_behind();
  StepRecord r;
  r.system = behind.counters - before_.counters;
  r.clock = std::min(before_.clock, behind.clock);
  r.reading = before_.seconds + behind.seconds;
  r.phase = phase_;
  r.decode_plan = &plan == &plan_.decode;
  r.position = position_;
  r.info = step;
  r.start = std::chrono::duration<double>(times.last_begin() - origin_).count();
  r.times = step_times(places_of(r), times);
  r.stages = times.last_stages();
  for (const StageTime& s : r.stages) r.busy += s.busy;
  r.tiles = tiles_of(plan, times);
  r.between = time_between_stages(r.tiles, plan.stages.size(), r.times.total);
  position_ += step.tokens;
  ++phase_steps_;
  keep_tiles(r);
  steps_.push_back(std::move(r));
  before_ = look_before();
}

void Recorder::keep_tiles(StepRecord& record) {
  if (phase_steps_ <= kTracedSteps) return;
  const bool slowest =
      phase_ == Phase::decode && std::all_of(steps_.begin(), steps_.end(), [&](const StepRecord& s) {
        return s.phase != Phase::decode || s.times.total < record.times.total;
      });
  if (!slowest) {
    record.tiles = {};
    return;
  }
  if (slowest_ > 0) steps_[slowest_].tiles = {};
  slowest_ = steps_.size();
}

std::vector<const StepRecord*> Recorder::steps(Phase phase) const {
  std::vector<const StepRecord*> out;
  for (const StepRecord& s : steps_)
    if (s.phase == phase) out.push_back(&s);
  return out;
}

}  // namespace lmc
