#include "runtime/continuation.h"

#include <algorithm>
#include <utility>

#include "ir/error.h"
#include "ir/seconds.h"

namespace lmc {
namespace {

using Clock = Continuation::Clock;

std::optional<Clock::time_point> after(Clock::time_point begin, double seconds) {
  if (!(seconds >= 0)) throw Error("the time limit must be 0 (none) or more seconds");
  constexpr double kForever = 1e9;  // beyond it a time_point would overflow
  if (seconds == 0 || seconds > kForever) return std::nullopt;
  return begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

Continuation::Continuation(const GenerateOptions& options, int64_t vocab, int64_t context,
                           std::vector<int32_t> sequence)
    : options_(options),
      context_(context),
      sequence_(std::move(sequence)),
      sampler_(options.sampler),
      begin_(Clock::now()),
      deadline_(after(begin_, options.seconds)) {
  sampler_.check_vocab(vocab);
  if (options.constraint) constraint_ = options.constraint();
}

// Where the likeliest token of all is taken and may come, it is the likeliest of those that may.
void Continuation::choose(std::span<const float> logits, bool restricted) {
  if (!constraint_ || restricted) return accept(sampler_.sample(logits, sequence_, out_.ids.size()));
  try {
    if (!sampler_.draws()) {
      const int32_t id = sampler_.sample(logits, sequence_, out_.ids.size());
      if (constraint_->allows(id)) return accept(id);
    }
    if (constraint_->choices() == 0) return add_forced();
    logits = this->restricted(logits);
  } catch (const ConstraintError& e) {
    return fail(e.what());
  }
  accept(sampler_.sample(logits, sequence_, out_.ids.size()));
}

LogitRequest Continuation::request(int64_t vocab, std::span<const int32_t> guessed) {
  const size_t before = sequence_.size();
  sequence_.insert(sequence_.end(), guessed.begin(), guessed.end());
  LogitRequest out = sampler_.request(vocab, sequence_, out_.ids.size() + guessed.size());
  sequence_.resize(before);
  if (!constraint_) return out;
  try {
    const IdSet& ids = constraint_->allowed();
    out.allowed.assign(ids.bits(), ids.bits() + (vocab + 7) / 8);
  } catch (const ConstraintError&) {  // comes again when a token is chosen
  }
  return out;
}

void Continuation::choose(const AskedLogits& logits, int64_t row, bool restricted) {
  const auto where = [&](LogitDraw draw) { return logits.draw(row, std::move(draw)); };
  if (!choose(logits.rows[static_cast<size_t>(row)], where)) choose(logits.all(row), restricted);
}

bool Continuation::choose(const SomeLogits& logits, const Sampler::FindDraw& where) {
  try {
    if (constraint_ && constraint_->choices() == 0) {
      add_forced();
      return true;
    }
  } catch (const ConstraintError& e) {
    fail(e.what());
    return true;
  }
  const auto id = sampler_.sample(logits, where, sequence_, out_.ids.size());
  if (id) accept(*id);
  return id.has_value();
}

std::span<const float> Continuation::restricted(std::span<const float> logits) {
  restricted_.assign(logits.begin(), logits.end());
  constraint_->allowed().restrict(restricted_);
  return restricted_;
}

void Continuation::fail(const std::string& why) {
  out_.failure = why;
  end(StopReason::failed);
}

void Continuation::add_forced() {
  while (constraint_ && !ended_) {
    try {
      const int64_t choices = constraint_->choices();
      if (choices > 1) return;
      if (choices == 0 && constraint_->ended()) return end(StopReason::complete);
      if (choices == 0) return fail("no token of the vocabulary goes on with the text as it must");
      const int32_t id = *constraint_->forced();
      // Whoever forbade it is told by the sampler, which finds nothing to choose.
      if (sampler_.forbids(id)) return;
      sampler_.pass();
      accept(id);
    } catch (const ConstraintError& e) {
      return fail(e.what());
    }
  }
}

// Drawn with the random numbers that the tokens will be drawn with.
int32_t Continuation::guess(std::span<const float> logits, std::span<const int32_t> guessed) {
  if (!guesser_) guesser_.emplace(options_.sampler);
  if (guessed.empty()) guesser_->follow(sampler_);
  const size_t before = sequence_.size();
  sequence_.insert(sequence_.end(), guessed.begin(), guessed.end());
  const int32_t id = guesser_->sample(logits, sequence_, out_.ids.size() + guessed.size());
  sequence_.resize(before);
  return id;
}

void Continuation::cut(std::vector<int32_t>& guess) {
  if (!constraint_) return;
  size_t kept = 0;
  try {
    while (kept < guess.size() && constraint_->allows(guess[kept])) constraint_->accept(guess[kept++]);
  } catch (const ConstraintError&) {  // comes again when the token does
  }
  constraint_->roll_back(static_cast<int64_t>(kept));
  guess.resize(kept);
}

void Continuation::accept(int32_t id) {
  if (constraint_) constraint_->accept(id);
  sequence_.push_back(id);
  out_.ids.push_back(id);
  if (out_.ids.size() == 1) {
    out_.prompt_seconds = seconds_since(begin_);
    begin_ = Clock::now();
  }
  if (const std::optional<StopReason> reason = reason_to_end(id)) end(*reason);
}

bool Continuation::stops(int32_t id) const {
  return std::find(options_.stop_ids.begin(), options_.stop_ids.end(), id) != options_.stop_ids.end();
}

std::optional<StopReason> Continuation::reason_to_end(int32_t id) const {
  if (stops(id)) return StopReason::stop_id;
  if (static_cast<int64_t>(out_.ids.size()) == options_.max_tokens) return StopReason::max_tokens;
  if (static_cast<int64_t>(sequence_.size()) > context_) return StopReason::context;
  return std::nullopt;
}

void Continuation::tell(const std::function<bool(int32_t)>& on_token) {
  while (told_ < out_.ids.size()) {
    const int32_t id = out_.ids[told_++];
    if (!on_token || on_token(id)) continue;
    sequence_.resize(sequence_.size() - (out_.ids.size() - told_));
    out_.ids.resize(told_);
    out_.failure.clear();
    end(stops(id) ? StopReason::stop_id : StopReason::callback);
  }
}

void Continuation::end(StopReason reason) {
  ended_ = true;
  out_.reason = reason;
  if (!out_.ids.empty()) out_.decode_seconds = seconds_since(begin_);
}

}  // namespace lmc
