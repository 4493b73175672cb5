// One text as it grows: which token comes next, and what ends it. Knows no session: logits in, ids out.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/asked_logits.h"
#include "runtime/constraint.h"
#include "runtime/sampler.h"

namespace lmc {

class Drafter;

struct GenerateOptions {
  int64_t max_tokens = 128;
  std::vector<int32_t> stop_ids = {};  // end of sequence, end of turn, …
  SamplerOptions sampler = {};
  // Guesses tokens ahead, which are verified in one step (runtime/draft.h); it learns from the text and must
  // outlive it. The tokens that come out are the same, drawn ones too. Null: none.
  Drafter* drafter = nullptr;
  // Makes what a text must keep to, one for each text. Its tokens are those that the sampler chooses from
  // logits in which every id that is not allowed is -inf, drawn ones too. Empty: no constraint.
  std::function<std::unique_ptr<Constraint>()> constraint = {};
  double seconds = 0;  // time limit, prompt included; 0: none
  // Called when the prompt has been fed, before any token is handed out; not by generate_batch().
  std::function<void()> on_prompt = {};
};

enum class StopReason : uint8_t {
  max_tokens,
  stop_id,
  context,      // the context is full
  callback,     // on_token said so
  timeout,      // GenerateOptions::seconds
  interrupted,  // SessionOptions::stop
  complete,     // the constraint lets nothing follow, and there is no stop id to say so
  failed,       // the constraint cannot be kept to: Generated::failure
};

struct Generated {
  std::vector<int32_t> ids;  // without the prompt; a stop id that ended it is the last
  StopReason reason = StopReason::max_tokens;
  std::string failure = {};           // why, if reason is failed
  int64_t drafted = 0, accepted = 0;  // guessed tokens: fed for verification, and found right
  double prompt_seconds = 0;          // until the first token was chosen
  double decode_seconds = 0;          // all later ones
};

class Continuation {
 public:
  using Clock = std::chrono::steady_clock;

  // Continues `sequence`, the prompt included; the clock runs from here. `options` must outlive it. Error for
  // options that make no sense.
  Continuation(const GenerateOptions& options, int64_t vocab, int64_t context, std::vector<int32_t> sequence);

  // The next token: chosen from the logits behind the last one, or known already. `restricted`: logits of ids
  // that allowed() has not are -inf already.
  void choose(std::span<const float> logits, bool restricted = false);
  void accept(int32_t id);
  // What choose() has to know of the logits behind the last token, or, with nothing to keep to, behind what
  // is guessed to follow it; and the same choice by that. `restricted`: all logits of a row are, if it needs
  // them.
  LogitRequest request(int64_t vocab, std::span<const int32_t> guessed = {});
  bool keeps_to_something() const { return constraint_ != nullptr; }
  void choose(const AskedLogits& logits, int64_t row, bool restricted = false);
  // The same, or false, and nothing has happened, where these do not tell.
  bool choose(const SomeLogits& logits, const Sampler::FindDraw& where = {});
  bool draws_from_all(int64_t vocab) const { return sampler_.draws_from_all(vocab); }
  // Tokens that come next whatever the logits are, if any: accepted as if they had been chosen. Then
  // allowed() has several, or the text has ended. To be called when tokens have come, before a step is made
  // for the next.
  void add_forced();
  // What may come next; null: anything. Valid until a token comes.
  const IdSet* allowed() { return constraint_ ? &constraint_->allowed() : nullptr; }
  // Hands out the ids that have come since the last call. False ends the text, as if what had come behind had
  // not.
  void tell(const std::function<bool(int32_t)>& on_token);
  // What choose() would choose if these were the logits behind the last token and `guessed`, with nothing to
  // keep to. Error as there.
  int32_t guess(std::span<const float> logits, std::span<const int32_t> guessed);
  // As much of a guess as may come.
  void cut(std::vector<int32_t>& guess);
  void end(StopReason reason);
  bool ended() const { return ended_; }

  // Is the next token always the likeliest?
  bool only_greedy() const { return sampler_.only_greedy(); }
  // All tokens; the last chosen one is still to be fed.
  const std::vector<int32_t>& sequence() const { return sequence_; }
  std::optional<Clock::time_point> deadline() const { return deadline_; }
  bool late() const { return deadline_ && Clock::now() >= *deadline_; }
  Generated& result() { return out_; }

 private:
  bool stops(int32_t id) const;
  std::optional<StopReason> reason_to_end(int32_t id) const;
  bool allows(int32_t id) { return !constraint_ || constraint_->allows(id); }
  std::span<const float> restricted(std::span<const float> logits);
  void fail(const std::string& why);

  const GenerateOptions& options_;
  int64_t context_;
  std::vector<int32_t> sequence_;
  Sampler sampler_;
  std::optional<Sampler> guesser_;
  std::unique_ptr<Constraint> constraint_;  // null: none
  std::vector<float> restricted_;
  Generated out_;
  size_t told_ = 0;  // of its ids
  bool ended_ = false;
  Clock::time_point begin_;
  std::optional<Clock::time_point> deadline_;
};

}  // namespace lmc
