// Runs steps of a plan: any mix of tokens of any sequences at once. Knows nothing of prompts, limits or
// stopping; one step at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ir/kernel_abi.h"
#include "ir/plan.h"
#include "runtime/arena.h"
#include "runtime/executor.h"
#include "runtime/follow.h"
#include "runtime/id_set.h"
#include "runtime/logit_answers.h"
#include "runtime/session_options.h"
#include "runtime/step_inputs.h"

namespace lmc {

class Stepper {
 public:
  // As Session: the plan, the weights' memory and the kernels' code must outlive the stepper.
  Stepper(const Plan& plan, PlanKernels kernels, const std::vector<const void*>& weights,
          const SessionOptions& options, Workers& workers);

  // Appends every row's token to its sequence. The wanted rows' logits, [rows, vocab] in the order of the
  // rows, valid until the next step: the bits that each sequence would get alone, however its tokens are cut
  // into steps. The rows must pass check_rows().
  std::span<const float> run(std::span<const StepRow> rows);
  // Steps from now on choose among these ids: others' logits are -inf, and those of allowed ids the bits they
  // always are. Null: all. The set must be of the plan's vocabulary and outlive its use.
  void set_allowed(const IdSet* ids) { allowed_ = ids; }
  // The same of rows whose logits are not written: instead, of one wanted row after the other, the largest
  // of every tile of them, or of every rank's; empty if the plans cannot tell, and then nothing was done.
  std::span<const TileArgmax> run_argmax(std::span<const StepRow> rows);
  // As run(), but each rank keeps its part of the logits, and rank 0 gets what is asked of each wanted row;
  // on the others nothing comes back. Where can_ask() only.
  std::vector<SomeLogits> run_asked(std::span<const StepRow> rows, std::span<const LogitRequest> requests);
  bool can_ask() const { return answers_ != nullptr; }
  // On rank 0, where it has no part of the logits: the same, but the other ranks may be at work on the step
  // when it returns, and further steps may be begun. Steps end in the order in which they began.
  std::unique_ptr<LogitAnswers::UnderWay> begin_asked(std::span<const StepRow> rows,
                                                      std::span<const LogitRequest> requests);
  bool can_begin() const { return plan_.rank == 0 && answers_ && !answers_->has_part(); }
  // Of the logits that the last step has left there: where a draw falls, and all of `rows` rows as run()
  // gives them. On rank 0 the others are told.
  int32_t draw(const LogitDraw& draw);
  std::span<const float> gather_logits(int64_t rows);
  // As run(), with the wanted rows' last hidden states, [rows, Plan::hidden_size]. The plan must have such a
  // step.
  std::span<const float> run_hidden(std::span<const StepRow> rows);

  // A guess at what run() would say of one row, by the step of fewer bytes, which the plan must have: its
  // logits; or, as run_argmax(), the largest of every tile, empty if the plan cannot tell.
  std::span<const float> run_draft(const StepRow& row);
  std::span<const TileArgmax> run_draft_argmax(const StepRow& row);

  // Executor::seconds_in_cache() of a stage of the plan's step for one token, or of that for blocks, with
  // zeros in all buffers.
  double seconds_in_cache(bool decode, size_t stage, const StepInfo& step, double seconds);

  int64_t bytes() const { return buffers_.bytes() + inputs_.bytes() + logits_.bytes(); }
  Profile* decode_profile() { return decode_profile_.get(); }
  Profile* prefill_profile() { return prefill_profile_.get(); }

 private:
  void run(std::span<const StepRow> rows, TileArgmax* argmax, std::span<const LogitRequest> requests = {});
  void run_draft(const StepRow& row, TileArgmax* argmax);
  bool by_decode(std::span<const StepRow> rows) const;
  bool all_ranks(bool own) const;
  bool can_pick_its_part() const;
  static void append(std::span<const StepRow> rows);
  std::unique_ptr<Executor> executor(const StepPlan& step, const std::vector<KernelFn>& kernels,
                                     const Arena& output);

  const Plan& plan_;
  const SessionOptions options_;
  const PlanKernels kernels_;
  const std::vector<const void*> weights_;
  Workers& workers_;
  const IdSet* allowed_ = nullptr;
  StepInputs inputs_;
  Arena buffers_, logits_;
  std::vector<TileArgmax> argmax_;         // by row and tile of a plan's argmax_stage
  std::vector<TileArgmax> best_;           // by rank, where there are several; rank 0's is all of them
  bool can_pick_ = false;                  // can several ranks tell the likeliest token without the logits?
  bool logits_stay_ = false;               // in this step
  std::unique_ptr<LogitAnswers> answers_;  // where logits can be asked for
  std::unique_ptr<Profile> decode_profile_, prefill_profile_;
  std::unique_ptr<Executor> decode_, prefill_;
  std::unique_ptr<Arena> states_;  // made when first asked for, as is the next
  std::unique_ptr<Executor> hidden_, draft_;
  std::vector<TileArgmax> draft_argmax_;  // by tile of the draft plan's argmax_stage
};

}  // namespace lmc
