// Plans made by hand whose kernels watch the order they are called in and compute a value that depends on all
// of it.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "ir/plan.h"
#include "runtime/arena.h"
#include "runtime/bindings.h"

namespace lmc::test {

struct DagStage {
  int64_t tiles;
  std::vector<int32_t> deps;
};

inline uint64_t mix(uint64_t a, uint64_t b) {
  uint64_t z = (a ^ (b + 0x9e3779b97f4a7c15u + (a << 6))) * 0xbf58476d1ce4e5b9u;
  return z ^ (z >> 29);
}

class Dag {
 public:
  // `ops`: of each stage, as the plan says; by default enough that threads share it.
  explicit Dag(const std::vector<DagStage>& stages, double ops = 1e9) : done_(stages.size()) {
    for (size_t s = 0; s < stages.size(); ++s) {
      const int64_t bytes = stages[s].tiles * 8;
      plan.buffers.push_back({"b", bytes, plan.arena_bytes});
      plan.arena_bytes += (bytes + 63) / 64 * 64;
      PlanStage stage;
      stage.work.family = "s";
      stage.work.family += std::to_string(s);
      stage.tiles = stages[s].tiles;
      stage.deps = stages[s].deps;
      stage.work.rows.ops = ops;
      stage.operands.push_back({Space::weight, static_cast<int64_t>(s), 0, false, 8, -1});
      Params params{&done_[s], &violations, static_cast<uint64_t>(s), {}};
      stage.operands.push_back(buffer(s, true));
      for (const int32_t d : stages[s].deps) {
        stage.operands.push_back(buffer(static_cast<size_t>(d), false));
        params.deps.push_back({&done_[static_cast<size_t>(d)], stages[static_cast<size_t>(d)].tiles});
      }
      params_.push_back(std::move(params));
      plan.stages.push_back(std::move(stage));
      bindings.kernels.push_back(&kernel);
    }
    plan.scratch_bytes = 64;
    memory_ = Arena(plan.arena_bytes, "test");
    bindings.arena = memory_.data();
    for (const Params& p : params_) bindings.weights.push_back(&p);
  }

  // All tiles' values, after one more step was counted.
  std::vector<uint64_t> values() const {
    std::vector<uint64_t> out;
    for (const PlanBuffer& b : plan.buffers) {
      const auto* v = reinterpret_cast<const uint64_t*>(memory_.data() + b.offset);
      out.insert(out.end(), v, v + b.bytes / 8);
    }
    return out;
  }

  // Before each step: no tile has run.
  void rewind() {
    for (auto& d : done_) d = 0;
  }
  bool every_tile_ran_once() const {
    for (size_t s = 0; s < plan.stages.size(); ++s) {
      if (done_[s] != plan.stages[s].tiles) return false;
    }
    return true;
  }

  StepPlan plan;
  Bindings bindings;
  std::atomic<int64_t> violations{
      0};  // tiles that started before a dependency was finished, or shared scratch

 private:
  struct Dep {
    const std::atomic<int64_t>* done;
    int64_t tiles;
  };
  struct Params {
    std::atomic<int64_t>* done;
    std::atomic<int64_t>* violations;
    uint64_t id;
    std::vector<Dep> deps;
  };

  PlanOperand buffer(size_t s, bool written) const {
    return {Space::arena, 0, plan.buffers[s].offset, written, plan.buffers[s].bytes, static_cast<int64_t>(s)};
  }

  static void kernel(void* const* operands, const StepInfo* step, int64_t tile, int64_t, void* scratch) {
    const Params& p = *static_cast<const Params*>(operands[0]);
    uint64_t value = mix(p.id, static_cast<uint64_t>(tile) + static_cast<uint64_t>(step->tokens));
    // Whoever else writes this scratch meanwhile breaks the value.
    auto* mine = static_cast<uint64_t*>(scratch);
    *mine = value;
    for (size_t i = 0; i < p.deps.size(); ++i) {
      if (*p.deps[i].done != p.deps[i].tiles) ++*p.violations;
      const auto* in = static_cast<const uint64_t*>(operands[2 + i]);
      for (int64_t t = 0; t < p.deps[i].tiles; ++t) value = mix(value, in[t]);
    }
    if (reinterpret_cast<uintptr_t>(scratch) % 64 != 0) ++*p.violations;
    static_cast<uint64_t*>(operands[1])[tile] = mix(value, *static_cast<volatile uint64_t*>(mine));
    ++*p.done;
  }

  std::vector<std::atomic<int64_t>> done_;
  std::deque<Params> params_;
  Arena memory_;
};

// A layer's shape: wide and narrow stages, a diamond, a stage with several dependencies.
inline std::vector<DagStage> layers(int count, int64_t wide) {
  std::vector<DagStage> out = {{1, {}}};
  for (int i = 0; i < count; ++i) {
    const auto x = static_cast<int32_t>(out.size()) - 1;
    out.push_back({wide, {x}});          // q
    out.push_back({wide / 2 + 1, {x}});  // k
    out.push_back({3, {x + 1, x + 2}});  // attention
    out.push_back({wide, {x + 3}});      // gate and up
    out.push_back({wide, {x + 4}});      // down
    out.push_back({1, {x, x + 5}});      // residual
  }
  return out;
}

}  // namespace lmc::test
