// A running model: feeds tokens to the compiled steps and hands out logits. One sequence at a time, or one
// token of each of several; one thread of control.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "ir/kernel_abi.h"
#include "ir/plan.h"
#include "runtime/arena.h"
#include "runtime/executor.h"
#include "runtime/sequence.h"

namespace lmc {

struct SessionOptions {
  int threads = 0;    // 0: default_threads()
  int64_t block = 0;  // most tokens fed at once; 0: as many as the plan takes, 1: token by token
  Schedule schedule = Schedule::automatic;
  bool profile = false;
  // With `profile`: called after every step, with the plan that ran and the times of its tiles.
  std::function<void(const StepPlan& plan, const StepInfo& step, const Profile& times)> on_step = {};
  int64_t* cycles = nullptr;                // kAttentionParts counters, for kernels compiled for measuring
  const std::atomic<bool>* stop = nullptr;  // looked at between blocks: true ends forward() early
};

// Which positions' logits are wanted.
enum class Rows : uint8_t { none, last, all };

// Longrope (Plan::rope_border) gives a sequence other factors once it is longer than the border. They follow
// the length the sequence has behind a forward(): its logits are those of a new session given the whole
// sequence at once. So where a call crosses the border, in either direction, what the sequence holds is fed
// again first.
class Session {
 public:
  // Receives `rows` rows of vocab() logits, of the tokens at positions first_position … + rows - 1.
  using Sink = std::function<void(int64_t first_position, int64_t rows, const float* logits)>;

  // Kernels are given per stage of plan.decode and plan.prefill, weights per plan.weights. The plan, the
  // weights' memory and the kernels' code must outlive the session. A plan without prefill stages runs token
  // by token.
  Session(const Plan& plan, const std::vector<KernelFn>& decode, const std::vector<KernelFn>& prefill,
          const std::vector<const void*>& weights, const SessionOptions& options = {});
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Reads a byte of every page of the weights and wakes every worker, so that the first token pays for
  // neither. `progress` gets bytes done and in all, one call at a time.
  void warm_up(const std::function<void(int64_t done, int64_t total)>& progress = {});
  // A new sequence.
  void reset();
  // Goes back to `position`, as if the tokens from there on had never been fed. False, and nothing changed,
  // where a sliding window has already lost what a token there sees; never within the last step's tokens.
  bool roll_back(int64_t position);
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
  // Appends tokens to the sequence; the likeliest token behind them, as greedy() finds it in their logits,
  // which a step of one token does not even write. Nothing if stopped. Error if the logits are no
  // distribution.
  std::optional<int32_t> next(std::span<const int32_t> tokens);
  // Appends tokens, handing out the wanted logits block by block. False if stopped; position() says how far,
  // which may be less than before where the sequence was being fed again.
  // `to_come` more tokens of the same prompt follow in later calls: its rope factors count them already.
  // Throws Error, before anything is fed, for a token that is not in the vocabulary or more than the context.
  bool forward(std::span<const int32_t> tokens, Rows rows, const Sink& sink, int64_t to_come = 0);
  // Error, as forward() throws it, for a prompt that a new sequence cannot take.
  void check_prompt(std::span<const int32_t> prompt) const { check_tokens(prompt, 0); }

  // Goes on with another sequence of this plan; the one so far is in `other` then.
  void swap(Sequence& other);
  // Appends tokens[i] to *sequences[i], all in one step that reads the weights once (two, where some are
  // beyond the border of the rope factors and some are not). Returns their logits,
  // [sequences, vocab], valid until the next call: the bits that each would get alone. Empty if stopped. The
  // session's own sequence stays as it is. 1 … most_sequences() of them, none twice, none full.
  std::span<const float> step_each(std::span<Sequence* const> sequences, std::span<const int32_t> tokens);
  int64_t most_sequences() const;

  const Plan& plan() const { return plan_; }
  int64_t position() const { return sequence_.cache.position(); }
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
  bool stopped() const { return (options_.stop && options_.stop->load(std::memory_order_relaxed)) || late(); }
  const KvCache& cache() const { return sequence_.cache; }
  int64_t step_bytes()
      const;  // of memory for step buffers, logits included; large ones are reserved, not used

  // Null unless options.profile (and, for prefill, where there is no prefill plan).
  Profile* decode_profile() { return decode_profile_.get(); }
  Profile* prefill_profile() { return prefill_profile_.get(); }

 private:
  void check_tokens(std::span<const int32_t> tokens, int64_t position) const;
  bool beyond_border(int64_t length) const { return plan_.rope_border > 0 && length > plan_.rope_border; }
  bool set_length(int64_t length);
  bool feed(std::span<const int32_t> tokens, Rows rows, const Sink& sink);
  std::span<const float> step_each_side(std::span<Sequence* const> sequences,
                                        std::span<const int32_t> tokens);
  void run_block(std::span<const int32_t> tokens, int64_t wanted_rows, TileBest* best = nullptr);
  void run_step(bool single, const StepInfo& step);
  Bindings bindings(const std::vector<KernelFn>& kernels, const std::vector<const void*>& weights) const;

  const Plan& plan_;
  SessionOptions options_;
  std::vector<const void*> weights_;
  int64_t block_;
  Workers workers_;
  Sequence sequence_;
  int64_t length_ = 0;                  // StepInfo::sequence
  std::vector<int64_t> cache_offsets_;  // of a step of several sequences
  std::vector<float> both_sides_;       // their logits, where two steps made them
  Deadline deadline_;
  Arena buffers_, inputs_, logits_;
  std::vector<TileBest> best_;  // by tile of the decode plan's best_stage; empty: it has none
  std::unique_ptr<Executor> decode_, prefill_;
  std::unique_ptr<Profile> decode_profile_, prefill_profile_;
};

// A session goes on with another sequence for as long as this lives.
class Visit {
 public:
  Visit(Session& session, Sequence& sequence) : session_(session), sequence_(sequence) {
    session_.swap(sequence_);
  }
  ~Visit() { session_.swap(sequence_); }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

 private:
  Session& session_;
  Sequence& sequence_;
};

}  // namespace lmc
