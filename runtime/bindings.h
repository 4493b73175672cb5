// What a StepPlan is run with: functions and memory for everything the plan names by number.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ir/kernel_abi.h"
#include "ir/plan.h"
#include "runtime/collective.h"

namespace lmc {

// The functions of a plan's steps, one per stage of each.
struct PlanKernels {
  std::vector<KernelFn> decode, prefill, hidden = {}, draft = {};
};

struct Bindings {
  std::vector<KernelFn> kernels;                  // one per stage
  std::vector<const void*> weights;               // one per Plan::weights
  std::vector<int64_t> caches;                    // KvCache::first_pages(), by Plan::caches
  std::byte* arena = nullptr;                     // StepPlan::arena_bytes
  std::array<int32_t*, kStepInputs> inputs = {};  // by StepInput
  float* output = nullptr;                        // [max_rows, vocab]
  Collective* collective = nullptr;               // of stages that gather
  std::span<TileArgmax> best;                     // by rank: where the best of each comes (Stepper)
  const bool* logits_stay = nullptr;              // while it is true, each rank keeps its part of them
};

// A stage ready to be called: every base address looked up once.
struct BoundStage {
  KernelFn kernel = nullptr;
  int64_t tiles = 1;
  std::vector<void*> operands;
  // Of a stage that gathers: between whom, what, where its rows are, and of which number there are.
  Collective* collective = nullptr;
  const PlanGather* gather = nullptr;
  std::byte* gathered = nullptr;
  bool over_rows = false;
  // Of the stage that gathers the logits: where the best of each rank comes, and how many tiles of this
  // rank's logits each have one.
  std::span<TileArgmax> best;
  int64_t argmax_tiles = 0;
  const bool* stays = nullptr;  // while it is true, what is gathered here is not

  void run(const StepInfo& step, int64_t tile, int64_t next, void* scratch) const {
    if (step.argmax && !best.empty()) return gather_best(step);
    kernel(operands.data(), &step, tile, next, scratch);
    if (collective && !(stays && *stays))
      collective->all_gather(gathered, over_rows ? step.rows : step.tokens, *gather);
  }

 private:
  void gather_best(const StepInfo& step) const;
};

// Throws Error when the plan names something that `bindings` lacks.
std::vector<BoundStage> bind_stages(const StepPlan& plan, const Bindings& bindings);

}  // namespace lmc
