#include "runtime/stepper.h"

#include <algorithm>
#include <string>

#include "ir/error.h"
#include "ir/file_guard.h"
#include "ir/kernel_abi.h"
#include "runtime/follow.h"
#include "runtime/row_check.h"

namespace lmc {
namespace {

// Null where each rank makes all of them, or a kernel behind it does.
const PlanGather* gather_of_logits(const StepPlan& step) {
  for (const PlanStage& s : step.stages) {
    const bool logits = std::any_of(s.operands.begin(), s.operands.end(), [](const PlanOperand& o) {
      return o.written && o.space == Space::output;
    });
    if (s.gather && logits) return &*s.gather;
  }
  return nullptr;
}

// 0: it cannot tell the likeliest token.
size_t argmax_tiles(const StepPlan& step) {
  return step.argmax_stage < 0
             ? 0
             : static_cast<size_t>(step.stages[static_cast<size_t>(step.argmax_stage)].tiles);
}

}  // namespace

Stepper::Stepper(const Plan& plan, PlanKernels kernels, const std::vector<const void*>& weights,
                 const SessionOptions& options, Workers& workers)
    : plan_(plan),
      options_(options),
      kernels_(std::move(kernels)),
      weights_(weights),
      workers_(workers),
      inputs_(plan),
      buffers_(std::max({plan.decode.arena_bytes, plan.prefill.arena_bytes, plan.hidden.arena_bytes,
                         plan.draft.arena_bytes}) +
                   kReadPastEnd,
               "the step's buffers"),
      logits_(most_logits(plan) * plan.vocab * int64_t{sizeof(float)} + kReadPastEnd, "the logits") {
  argmax_.resize(std::max(argmax_tiles(plan.decode),
                          argmax_tiles(plan.prefill) * static_cast<size_t>(plan.prefill.max_rows)));
  if (plan.ranks > 1) {
    can_pick_ = all_ranks(can_pick_its_part());
    const PlanGather* decode = gather_of_logits(plan.decode);
    const bool kept = decode && (plan.prefill.stages.empty() || gather_of_logits(plan.prefill));
    if (all_ranks(kept)) answers_ = std::make_unique<LogitAnswers>(*options.collective, *decode);
    argmax_.resize(std::max(argmax_.size(), size_t{1}));  // says what is wanted, on ranks without logits too
    best_.resize(static_cast<size_t>(plan.ranks));
  }
  if (weights.size() != plan.weights.size()) {
    throw Error("the plan has " + std::to_string(plan.weights.size()) + " weights, but " +
                std::to_string(weights.size()) + " were given");
  }
  const auto profiled = [&](const StepPlan& step, Executor& executor, std::unique_ptr<Profile>& profile) {
    if (options_.profile) profile = std::make_unique<Profile>(step, workers.slots());
    executor.set_profile(profile.get());
  };
  decode_ = executor(plan.decode, kernels_.decode, logits_);
  profiled(plan.decode, *decode_, decode_profile_);
  if (plan.prefill.stages.empty()) return;
  prefill_ = executor(plan.prefill, kernels_.prefill, logits_);
  profiled(plan.prefill, *prefill_, prefill_profile_);
}

// Those that have no part of the logits can, too.
bool Stepper::can_pick_its_part() const {
  const PlanGather* gather = gather_of_logits(plan_.decode);
  if (!gather) return false;
  return gather->bytes[static_cast<size_t>(plan_.rank)] == 0 || plan_.decode.argmax_stage >= 0;
}

bool Stepper::all_ranks(bool own) const {
  const auto ranks = static_cast<size_t>(plan_.ranks);
  std::vector<std::byte> can(ranks);
  can[static_cast<size_t>(plan_.rank)] = std::byte{own};
  options_.collective->all_gather(can.data(), 1,
                                  {std::vector<int64_t>(ranks, 1), plan_.rank, plan_.ranks, {}});
  return std::all_of(can.begin(), can.end(), [](std::byte b) { return b != std::byte{0}; });
}

std::unique_ptr<Executor> Stepper::executor(const StepPlan& step, const std::vector<KernelFn>& kernels,
                                            const Arena& output) {
  Bindings b;
  b.kernels = kernels;
  b.weights = weights_;
  b.caches = KvCache::first_pages(plan_);
  b.arena = buffers_.data();
  for (size_t i = 0; i < kStepInputs; ++i) b.inputs[i] = inputs_.input(static_cast<StepInput>(i));
  b.output = reinterpret_cast<float*>(output.data());
  b.collective = options_.collective;
  b.best = best_;
  b.logits_stay = &logits_stay_;
  auto out = std::make_unique<Executor>(step, b, workers_, options_.scheduler, options_.machine);
  out->set_before_stage(options_.before_stage);
  return out;
}

std::span<const float> Stepper::run(std::span<const StepRow> rows) {
  run(rows, nullptr);
  const std::span logits(reinterpret_cast<float*>(logits_.data()),
                         static_cast<size_t>(wanted_of(rows) * plan_.vocab));
  if (allowed_) allowed_->restrict(logits);
  return logits;
}

std::span<const TileArgmax> Stepper::run_argmax(std::span<const StepRow> rows) {
  if (plan_.ranks > 1) {  // which tell one row's, and do not know which ids are allowed
    if (!can_pick_ || allowed_ || rows.size() > 1) return {};
    run(rows, argmax_.data());
    return best_;
  }
  const size_t tiles = argmax_tiles(by_decode(rows) ? plan_.decode : plan_.prefill);
  if (tiles == 0) return {};
  run(rows, argmax_.data());
  return std::span(argmax_).first(tiles * static_cast<size_t>(wanted_of(rows)));
}

std::vector<SomeLogits> Stepper::run_asked(std::span<const StepRow> rows,
                                           std::span<const LogitRequest> requests) {
  run(rows, nullptr, requests);
  return answers_->answer(requests, reinterpret_cast<const float*>(logits_.data()));
}

std::unique_ptr<LogitAnswers::UnderWay> Stepper::begin_asked(std::span<const StepRow> rows,
                                                             std::span<const LogitRequest> requests) {
  run(rows, nullptr, requests);
  return answers_->begin(requests, reinterpret_cast<const float*>(logits_.data()));
}

int32_t Stepper::draw(const LogitDraw& draw) {
  if (plan_.rank == 0) announce_draw(*options_.collective, draw);
  return answers_->draw(draw, reinterpret_cast<const float*>(logits_.data()));
}

std::span<const float> Stepper::gather_logits(int64_t rows) {
  if (plan_.rank == 0) announce_gathering(*options_.collective, rows);
  const std::span logits(reinterpret_cast<float*>(logits_.data()), static_cast<size_t>(rows * plan_.vocab));
  answers_->complete(logits.data(), rows);
  if (allowed_) allowed_->restrict(logits);
  return logits;
}

bool Stepper::by_decode(std::span<const StepRow> rows) const {
  return static_cast<int64_t>(rows.size()) <= plan_.decode.max_tokens || !prefill_;
}

void Stepper::run(std::span<const StepRow> rows, TileArgmax* argmax, std::span<const LogitRequest> requests) {
  if (plan_.ranks > 1 && plan_.rank == 0) announce(*options_.collective, rows, {argmax != nullptr, requests});
  logits_stay_ = !requests.empty();
  StepInfo step = inputs_.write(rows);
  step.cycles = options_.cycles;
  step.argmax = argmax;
  if (allowed_) step.allowed = allowed_->bits();
  const bool single = by_decode(rows);
  (single ? *decode_ : *prefill_).run(step);
  check_mapped_files();  // the weights'
  if (options_.profile && options_.on_step) {
    options_.on_step(single ? plan_.decode : plan_.prefill, step,
                     single ? *decode_profile_ : *prefill_profile_);
  }
  append(rows);
}

std::span<const float> Stepper::run_hidden(std::span<const StepRow> rows) {
  const int64_t width = plan_.hidden_size;
  if (!hidden_) {
    states_ = std::make_unique<Arena>(plan_.hidden.max_rows * width * int64_t{sizeof(float)} + kReadPastEnd,
                                      "the hidden states");
    hidden_ = executor(plan_.hidden, kernels_.hidden, *states_);
  }
  const StepInfo step = inputs_.write(rows);
  hidden_->run(step);
  check_mapped_files();
  append(rows);
  return {reinterpret_cast<const float*>(states_->data()), static_cast<size_t>(step.rows * width)};
}

std::span<const float> Stepper::run_draft(const StepRow& row) {
  run_draft(row, nullptr);
  const std::span logits(reinterpret_cast<float*>(logits_.data()), static_cast<size_t>(plan_.vocab));
  if (allowed_) allowed_->restrict(logits);
  return logits;
}

std::span<const TileArgmax> Stepper::run_draft_argmax(const StepRow& row) {
  draft_argmax_.resize(argmax_tiles(plan_.draft));
  if (draft_argmax_.empty()) return {};
  run_draft(row, draft_argmax_.data());
  return draft_argmax_;
}

void Stepper::run_draft(const StepRow& row, TileArgmax* argmax) {
  if (!draft_) draft_ = executor(plan_.draft, kernels_.draft, logits_);
  StepRow wanted = row;
  wanted.logits = true;
  StepInfo step = inputs_.write({&wanted, 1});
  step.argmax = argmax;
  if (allowed_) step.allowed = allowed_->bits();
  draft_->run(step);
  check_mapped_files();
  append({&wanted, 1});
}

double Stepper::seconds_in_cache(bool decode, size_t stage, const StepInfo& step, double seconds) {
  std::fill_n(buffers_.data(), buffers_.bytes(), std::byte{0});
  return (decode ? *decode_ : *prefill_).seconds_in_cache(stage, step, seconds);
}

void Stepper::append(std::span<const StepRow> rows) {
  for (const StepRow& row : rows) {
    row.sequence->tokens.push_back(row.token);  // there may be no memory: then neither has happened
    row.sequence->cache.advance(1);
  }
}

}  // namespace lmc
