// A request on its way: what was asked, and the text as it grows.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/continuation.h"
#include "runtime/draft.h"
#include "runtime/likeliest.h"
#include "runtime/sequence.h"
#include "runtime/serving/answer_request.h"

namespace lmc {

class Text {
 public:
  // The clock runs from here. Error for options that make no sense.
  Text(AnswerRequest request, int64_t vocab, int64_t context);
  Text(const Text&) = delete;
  Text& operator=(const Text&) = delete;

  uint64_t id = 0;       // the order in which they came
  bool started = false;  // has it had a place?
  // Its caches, of which it may have fed a beginning, while it has a place among those that run.
  Sequence* sequence = nullptr;
  int64_t reused = 0;  // tokens that were not fed, but copied from another's caches

  const std::vector<int32_t>& tokens() const { return made_.sequence(); }
  int64_t prompt_size() const { return prompt_size_; }
  // What the caches do not hold yet: a prompt's rest, or the token chosen last.
  std::span<const int32_t> unfed() const {
    return std::span(tokens()).subspan(static_cast<size_t>(sequence->position()));
  }

  // Are hidden states wanted, and no text?
  bool wants_hidden() const { return request_.on_hidden != nullptr; }
  // Those of the tokens from `position` on, `size` each: hands them on, but for those that were there before
  // it had to leave its place, and ends behind the last.
  void take_hidden(int64_t position, std::span<const float> states, int64_t size);
  // Will the next token be the likeliest, and nothing more be asked?
  bool only_greedy() const { return request_.top_logprobs < 0 && made_.only_greedy(); }
  bool keeps_to_something() const { return made_.keeps_to_something(); }
  // What the next token may be; null: anything. Valid until it comes.
  const IdSet* allowed() { return made_.allowed(); }
  // The next token, from the logits behind tokens(), or known already, and those that a constraint leaves no
  // choice about. It fails if they are no distribution. On any thread, beside other texts: nobody is told
  // yet. Behind the first row of logits are those behind each of `guess`, which count as long as all guesses
  // before were what was chosen.
  void choose(std::span<const float> logits, std::span<const int32_t> guess);
  void choose(std::span<const Likeliest> found, std::span<const int32_t> guess);
  // The same by what was asked of the rows from `row` on, where asks() with that guess.
  void choose(const AskedLogits& logits, int64_t row, std::span<const int32_t> guess);
  // Does it do to know some of the logits?
  bool asks(std::span<const int32_t> guess) const {
    return request_.top_logprobs < 0 && (guess.empty() || !made_.keeps_to_something());
  }
  // … namely these, behind so much of a guess.
  LogitRequest request(int64_t vocab, std::span<const int32_t> guess) { return made_.request(vocab, guess); }
  // Or false, and nothing has happened, where these do not tell for certain.
  bool choose(const SomeLogits& logits);
  // May its steps be under way with others', so that no second question can be asked?
  bool flies(int64_t vocab) const {
    return !wants_hidden() && !needs_all && asks({}) && !made_.draws_from_all(vocab);
  }
  bool needs_all = false;  // logits, for the next token
  bool under_way = false;  // in a step that has begun
  // Tells of what was chosen, on the thread that runs steps.
  struct Told {
    int64_t tokens, right;  // guesses that were right
  };
  Told tell();

  // The drafter, which must outlive the text, reads on in it, a slice at a time. Null until it knows all.
  const DraftText* read_by(Drafter& drafter);
  // As much of a guess as may come.
  void cut(std::vector<int32_t>& guess) { made_.cut(guess); }
  // Tokens that may still be chosen.
  int64_t left() { return request_.options.max_tokens - made(); }

  bool ended() const { return made_.ended(); }
  bool late() const { return made_.late(); }

  void end(StopReason reason) { made_.end(reason); }
  // Ends it, which is nobody's will.
  void fail(const std::string& error);
  // Tells that it has ended: the last that is done with it.
  void leave();
  int64_t made() { return static_cast<int64_t>(made_.result().ids.size()); }

 private:
  void verify(std::span<const int32_t> guess, const std::function<void(size_t row)>& choose);
  void guarded(const std::function<void()>& f);

  AnswerRequest request_;
  int64_t prompt_size_;
  int64_t hidden_ = 0;  // tokens whose hidden states were handed on
  Continuation made_;
  std::string error_;
  bool prompt_told_ = false;
  int64_t right_ = 0;                 // guesses of the last step
  std::vector<TokenChoice> choices_;  // not told yet, where logprobs are wanted
  std::optional<DraftText> draft_;
  size_t read_ = 0;  // tokens that the drafter knows
};

}  // namespace lmc
