// A running model: feeds tokens to the compiled steps and hands out logits. It has a sequence of its own, and
// runs others beside it; one thread of control.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "ir/kernel_abi.h"
#include "ir/plan.h"
#include "runtime/asked_logits.h"
#include "runtime/bindings.h"
#include "runtime/likeliest.h"
#include "runtime/row_check.h"
#include "runtime/sequence.h"
#include "runtime/session_options.h"
#include "runtime/stepper.h"
#include "runtime/workers.h"

namespace lmc {

// Which positions' logits are wanted.
enum class Rows : uint8_t { none, last, all };

// Longrope (Plan::rope_border) gives a sequence other factors once it is longer than the border. They follow
// the length that the sequence has with what is still to come: its logits are those of a new session given
// the whole sequence at once. So where a step crosses the border, in either direction, what the sequence
// holds is fed again first.
class Session {
 public:
  // Receives `rows` rows of vocab() logits, of the tokens at positions first_position … + rows - 1.
  using Sink = std::function<void(int64_t first_position, int64_t rows, const float* logits)>;

  // Weights are given per plan.weights. The plan, the weights' memory and the kernels' code must outlive the
  // session. A plan without prefill stages runs token by token.
  Session(const Plan& plan, PlanKernels kernels, const std::vector<const void*>& weights,
          const SessionOptions& options = {});
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Reads a byte of every page of the weights and wakes every worker, so that the first token pays for
  // neither. `progress` gets bytes done and in all, one call at a time.
  void warm_up(const std::function<void(int64_t done, int64_t total)>& progress = {});

  // One step of any mix of tokens of any sequences of this plan, prompts and texts in the making alike: every
  // row's token is appended to its sequence. The wanted logits, [rows, vocab] in the order of the rows, valid
  // until the next call: the bits that each sequence would get alone. Nothing if stopped. Error, and nothing
  // is fed, for a number of rows that no step takes, a token that is not in the vocabulary or a full
  // sequence.
  std::optional<std::span<const float>> step_rows(std::span<const StepRow> rows);
  // The same, but of the logits no more than the likeliest token behind each wanted row comes, as greedy()
  // finds it in them; such a step does not even write them.
  std::optional<std::vector<Likeliest>> likeliest(std::span<const StepRow> rows);
  // Where the model runs on several ranks: the same, but of the logits only what is asked of each wanted row
  // comes here, as LogitRequest says; the ids that are allowed() are meant where it names none. Valid until
  // the next step.
  std::optional<AskedLogits> ask_rows(std::span<const StepRow> rows, std::vector<LogitRequest> requests);
  bool asks() const { return stepper_.can_ask(); }
  // Where ranks have layers one behind the other, so many steps of different texts can be under way, each on
  // another rank: what ask_rows() asks, to be ended in the order of beginning. Of what is not certain then,
  // the logits are gone. 1: a step is over before the next begins.
  int64_t most_under_way() const { return stepper_.can_begin() ? plan_.ranks : 1; }
  using StepUnderWay = std::unique_ptr<LogitAnswers::UnderWay>;
  StepUnderWay begin_rows(std::span<const StepRow> rows,
                          std::vector<LogitRequest> requests);  // null if stopped
  // The same with the wanted rows' last hidden states, those that logits are made of: [rows, hidden_size()].
  // Error if the plan has no such step.
  std::optional<std::span<const float>> hidden_rows(std::span<const StepRow> rows);
  int64_t hidden_size() const { return plan_.hidden_size; }        // 0: there are none to be had
  int64_t most_tokens() const { return lmc::most_tokens(plan_); }  // rows of a step
  int64_t most_logits() const { return lmc::most_logits(plan_); }  // wanted rows of a step
  // That may choose a token each in one step.
  int64_t most_sequences() const { return std::min(most_tokens(), most_logits()); }
  // Appends a token; the likeliest() one behind it. Nothing if stopped.
  std::optional<int32_t> next(Sequence& sequence, int32_t token);

  // Appends a token by the step that guesses (Plan::draft), so that what is behind it is no better than a
  // guess until the sequence is rolled back to before it. The logits that next() would find, more or less, or
  // the likeliest token in them. Error if the plan has no such step; nothing if stopped.
  std::optional<std::span<const float>> guess_logits(Sequence& sequence, int32_t token);
  std::optional<int32_t> guess(Sequence& sequence, int32_t token);
  bool guesses() const { return !plan_.draft.stages.empty(); }

  // From then on only these ids are chosen, and only their weights read (Stepper::set_allowed). Error for a
  // set of another vocabulary or without ids.
  void set_allowed(const IdSet* ids);
  const IdSet* allowed() const { return allowed_; }

  // On another rank than 0, instead of all that runs steps: runs those that rank 0 does, until its session
  // ends. Error if it runs something else, or one of the ranks fails.
  void follow();
  // On rank 0, what the destructor does anyway: the others' follow() returns. No step may come behind it.
  void let_go();

  // What follows is about the session's own sequence.
  Sequence& sequence() { return sequence_; }
  void reset() { sequence_.reset(); }  // a new one
  // Goes back to `position`, as if the tokens from there on had never been fed. False, and nothing changed,
  // where a sliding window has already lost what a token there sees; never within the last step's tokens.
  bool roll_back(int64_t position) { return sequence_.roll_back(position); }
  // Keeps what the sequence so far and `prompt` begin with alike, all but the prompt's last token (whose
  // logits are wanted), and forgets the rest: everything, if a sequence as long as `prompt` has other rope
  // factors. Returns how many tokens of `prompt` need not be fed.
  int64_t keep_prefix(std::span<const int32_t> prompt);

  // The sequence so far for storing it elsewhere: tokens() and these pieces of memory. Error where a
  // sliding window has lost some of it by rolling back.
  std::vector<std::span<std::byte>> stored() { return sequence_.cache.filled(); }
  // A new sequence that was stored by a session of this plan: `read` is given its pieces in order, to write
  // their bytes into. What `read` throws leaves an empty sequence. Error for tokens that cannot be.
  void resume(std::span<const int32_t> tokens, const std::function<void(std::span<std::byte>)>& read);

  // Appends tokens to the sequence; the logits of the last one, valid until the next call. Empty if stopped.
  std::span<const float> step(std::span<const int32_t> tokens);
  // Appends tokens; the likeliest token behind them, as next() above.
  std::optional<int32_t> next(std::span<const int32_t> tokens);
  // Appends tokens, handing out the wanted logits block by block. False if stopped; position() says how far,
  // which may be less than before where the sequence was being fed again.
  // `to_come` more tokens of the same prompt follow in later calls: its rope factors count them already.
  // Throws Error, before anything is fed, for a token that is not in the vocabulary or more than the context.
  bool forward(std::span<const int32_t> tokens, Rows rows, const Sink& sink, int64_t to_come = 0);
  // Error, as forward() throws it, for a prompt that a new sequence cannot take.
  void check_prompt(std::span<const int32_t> prompt) const;

  const Plan& plan() const { return plan_; }
  int64_t position() const { return sequence_.position(); }
  // The sequence so far: position() ids.
  const std::vector<int32_t>& tokens() const { return sequence_.tokens; }
  int64_t context() const { return plan_.context; }
  // Most tokens that one forward() may append so that all their logits are what feeding them one by one would
  // give: as many as the context has room for, but up to the border of the rope factors.
  int64_t room() const;
  int64_t vocab() const { return plan_.vocab; }
  int64_t block() const { return block_; }
  int threads() const { return workers_.threads(); }
  // From then on forward() ends between blocks, as at SessionOptions::stop; nullopt: never.
  using Deadline = std::optional<std::chrono::steady_clock::time_point>;
  void set_deadline(Deadline deadline) { deadline_ = deadline; }
  bool late() const { return deadline_ && std::chrono::steady_clock::now() >= *deadline_; }
  // f(0) … f(n - 1), between steps and on the threads that make them; returns when all are done.
  void for_each(int64_t n, const std::function<void(int64_t)>& f) { workers_.for_each(n, f); }
  bool stopped() const { return (options_.stop && options_.stop->load(std::memory_order_relaxed)) || late(); }
  const KvCache& cache() const { return sequence_.cache; }
  // Of memory for step buffers, logits included; large ones are reserved, not used.
  int64_t step_bytes() const { return stepper_.bytes(); }

  // For a profile, between steps: Stepper::seconds_in_cache().
  double seconds_in_cache(bool decode, size_t stage, const StepInfo& step, double seconds) {
    return stepper_.seconds_in_cache(decode, stage, step, seconds);
  }
  // Null unless options.profile (and, for prefill, where there is no prefill plan).
  Profile* decode_profile() { return stepper_.decode_profile(); }
  Profile* prefill_profile() { return stepper_.prefill_profile(); }

 private:
  using Logits = std::optional<std::span<const float>>;
  void follow(std::span<const StepRow> rows, const LogitWish& wish);
  bool prepare(std::span<const StepRow> rows);
  Logits run(std::span<const StepRow> rows);
  void name_allowed(std::vector<LogitRequest>& requests) const;
  AskedLogits asked(std::span<const StepRow> rows, std::vector<LogitRequest> requests);
  bool prepare_guess(Sequence& sequence, int32_t token);
  bool feed(Sequence& sequence, std::span<const int32_t> tokens, Rows rows, const Sink& sink, int64_t length);
  bool beyond_border(int64_t length) const { return plan_.rope_border > 0 && length > plan_.rope_border; }
  bool set_length(Sequence& sequence, int64_t length);

  const Plan& plan_;
  SessionOptions options_;
  std::vector<const void*> weights_;
  int64_t block_;
  Workers workers_;
  Sequence sequence_;
  Stepper stepper_;
  const IdSet* allowed_ = nullptr;
  Deadline deadline_;
  bool leads_;  // other ranks, which wait for the next step
};

}  // namespace lmc
