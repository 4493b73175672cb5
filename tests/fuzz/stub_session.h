// A session whose kernels compute nothing: each touches the memory that the operands of its stage declare,
// from the first byte to the last, and what a kernel may read past it. What a plan that its loader took leads
// out of, of all that a session allocates, AddressSanitizer sees.
#pragma once

#include <algorithm>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "fuzz.h"
#include "ir/cache_layout.h"
#include "ir/kernel_abi.h"
#include "ir/round_up.h"
#include "ir/schedule_check.h"
#include "ir/stage_label.h"
#include "runtime/row_check.h"
#include "runtime/session.h"

namespace lmc::fuzz {

// Which stage a kernel is called for: those of a step come in order, each with its tiles in order.
struct StubStep {
  const StepPlan* plan = nullptr;
  const std::vector<PlanCache>* caches = nullptr;
  size_t stage = 0;
};
inline StubStep stub_steps[4];

// What lies between the ends of one allocation is sure to be there.
inline void touch(std::byte* base, int64_t bytes, bool write) {
  constexpr int64_t kEnd = 16;
  const int64_t readable = write ? bytes : bytes + kReadPastEnd;
  const auto touch_at = [&](int64_t i) {
    auto* at = static_cast<volatile std::byte*>(base) + i;
    const std::byte value = *at;
    if (write) *at = value;
  };
  for (int64_t i = 0; i < std::min(readable, kEnd); ++i) touch_at(i);
  for (int64_t i = std::max(kEnd, readable - kEnd); i < readable; ++i) touch_at(i);
}

template <size_t kWhich>
void stub_kernel(void* const* operands, const StepInfo* step, int64_t tile, int64_t next, void* scratch) {
  StubStep& here = stub_steps[kWhich];
  const PlanStage& stage = here.plan->stages[here.stage];
  if (tile == 0) {
    require(step->tokens >= 1 && step->tokens <= here.plan->max_tokens,
            "a step of more tokens than the plan has");
    require(step->rows >= 0 && step->rows <= std::min(step->tokens, here.plan->max_rows),
            "a step of more rows than the plan has");
    for (size_t i = 0; i < stage.operands.size(); ++i) {
      const PlanOperand& o = stage.operands[i];
      if (o.space == Space::kv) {
        const PlanCache& cache = (*here.caches)[static_cast<size_t>(o.index)];
        for (int64_t row = 0; row < step->tokens; ++row) {
          std::byte* const* pages = step->caches[row] + reinterpret_cast<uintptr_t>(operands[i]);
          // One that the sequence has not reached yet is looked at by no kernel.
          for (int64_t p = 0; p < cache_pages(cache) && pages[p]; ++p)
            touch(pages[p], CacheLayout(cache).page_bytes, o.written);
        }
      } else if (operands[i] != nullptr) {
        touch(static_cast<std::byte*>(operands[i]), o.bytes, o.written);
      }
    }
    auto* const mine = static_cast<std::byte*>(scratch);
    touch(mine - here.plan->kept_bytes, here.plan->kept_bytes, true);
    touch(mine, here.plan->scratch_bytes, true);
    touch(mine, here.plan->scratch_bytes, false);
  }
  if (step->argmax && here.plan->argmax_stage == static_cast<int64_t>(here.stage))
    step->argmax[tile] = {0, 0};
  if (next == -1) here.stage = (here.stage + 1) % here.plan->stages.size();
}

// Of one cache a span, each looking back so far on `context` positions; the first step is the only kind there
// is.
inline Plan stub_plan(int64_t context, const std::vector<int64_t>& spans) {
  Plan plan;
  plan.target = "stub";
  plan.context = context;
  plan.vocab = 11;
  plan.rope_border = context - 8;
  plan.decode.stages.resize(1);
  for (const int64_t span : spans) {
    PlanCache cache{"kv", DType::kv_f16, span, round_up(span, kCachePage), 1, 8, 8, 0};
    cache.bytes = CacheLayout(cache).bytes;
    plan.decode.stages[0].operands.push_back(
        {Space::kv, static_cast<int64_t>(plan.caches.size()), 0, true, cache.bytes, -1});
    plan.caches.push_back(cache);
  }
  return plan;
}

inline bool small_enough_to_run(const Plan& plan) {
  int64_t tiles = 0;
  for (const StepPlan* step : {&plan.decode, &plan.prefill, &plan.hidden, &plan.draft})
    for (const PlanStage& s : step->stages) tiles += s.tiles;
  return tiles < 100'000;
}

inline std::vector<int32_t> some_tokens(const Plan& plan, int64_t count) {
  std::vector<int32_t> out(static_cast<size_t>(std::min(count, plan.context)));
  for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<int32_t>(static_cast<int64_t>(i) % plan.vocab);
  return out;
}

inline std::unique_ptr<Session> stub_session(const Plan& plan, const std::vector<const void*>& weights) {
  stub_steps[0] = {&plan.decode, &plan.caches};
  stub_steps[1] = {&plan.prefill, &plan.caches};
  stub_steps[2] = {&plan.hidden, &plan.caches};
  stub_steps[3] = {&plan.draft, &plan.caches};
  SessionOptions options;
  options.threads = 1;
  options.scheduler = "in-order";
  const PlanKernels kernels = {std::vector<KernelFn>(plan.decode.stages.size(), stub_kernel<0>),
                               std::vector<KernelFn>(plan.prefill.stages.size(), stub_kernel<1>),
                               std::vector<KernelFn>(plan.hidden.stages.size(), stub_kernel<2>),
                               std::vector<KernelFn>(plan.draft.stages.size(), stub_kernel<3>)};
  return std::make_unique<Session>(plan, kernels, weights, options);
}

// Everything that a session does: steps of few tokens and of as many as fit, logits of one row, of all and of
// none, going back, a second sequence, hidden states.
inline void use_session(Session& session) {
  constexpr int64_t kMostTokens = 300;  // of a step; plans may say billions
  const Plan& plan = session.plan();
  const auto read_logits = [&](int64_t, int64_t rows, const float* logits) {
    volatile float sum = logits[0];
    sum = sum + logits[rows * plan.vocab - 1];
  };
  for (const int64_t n : {int64_t{1}, int64_t{2}, std::min(most_tokens(plan), kMostTokens)}) {
    const std::vector<int32_t> tokens = some_tokens(plan, n);
    for (const Rows rows : {Rows::none, Rows::last, Rows::all}) {
      session.reset();
      session.forward(tokens, rows, read_logits);
      if (session.position() < session.context()) session.next(std::vector<int32_t>{0});
    }
    session.keep_prefix(tokens);
  }
  Sequence other(plan);
  std::vector<StepRow> rows;
  for (int64_t i = 0; i < std::min({session.most_sequences(), session.most_tokens(), kMostTokens}); ++i)
    rows.push_back({i % 2 == 0 ? &other : &session.sequence(), 0});
  session.reset();
  session.step_rows(rows);
  if (session.guesses()) {
    session.reset();
    volatile float guessed = session.guess_logits(session.sequence(), 0)->back();
    session.reset();
    guessed = guessed + static_cast<float>(*session.guess(session.sequence(), 0));
  }
  if (session.hidden_size() == 0) return;
  other.reset();
  session.reset();
  const auto states = session.hidden_rows(rows);
  volatile float last = states->back();
  last = last + states->front();
}

// What reports make of a plan, without running it.
inline void describe(const Plan& plan) {
  for (const StepPlan* step : {&plan.decode, &plan.prefill, &plan.hidden, &plan.draft}) {
    if (step->stages.size() < 200) check_schedule(*step);
    for (const PlanStage& s : step->stages) stage_label(s.work);
  }
}

}  // namespace lmc::fuzz
