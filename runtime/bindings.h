// What a StepPlan is run with: functions and memory for everything the plan names by number.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "ir/kernel_abi.h"
#include "ir/plan.h"

namespace lmc {

struct Bindings {
  std::vector<KernelFn> kernels;                  // one per stage
  std::vector<const void*> weights;               // one per Plan::weights
  std::vector<int64_t> caches;                    // KvCache::starts(), by Plan::caches
  std::byte* arena = nullptr;                     // StepPlan::arena_bytes
  std::array<int32_t*, kStepInputs> inputs = {};  // by StepInput
  float* output = nullptr;                        // [max_rows, vocab]
};

// A stage ready to be called: every base address looked up once.
struct BoundStage {
  KernelFn kernel = nullptr;
  int64_t tiles = 1;
  std::vector<void*> operands;

  void run(const StepInfo& step, int64_t tile, int64_t next, void* scratch) const {
    kernel(operands.data(), &step, tile, next, scratch);
  }
};

// Throws Error when the plan names something that `bindings` lacks.
std::vector<BoundStage> bind_stages(const StepPlan& plan, const Bindings& bindings);

}  // namespace lmc
