#include "runtime/serving/text.h"

#include <algorithm>
#include <utility>

#include "runtime/serving/logprobs.h"

namespace lmc {
namespace {

// Of a prompt, in a step: under a millisecond.
constexpr size_t kReadAtOnce = 1024;

}  // namespace

Text::Text(AnswerRequest request, int64_t vocab, int64_t context)
    : request_(std::move(request)),
      prompt_size_(static_cast<int64_t>(request_.prompt.size())),
      made_(request_.options, vocab, context, std::move(request_.prompt)) {
  if (request_.options.max_tokens <= 0) end(StopReason::max_tokens);
}

void Text::choose(std::span<const float> logits, std::span<const int32_t> guess) {
  const size_t vocab = logits.size() / (guess.size() + 1);
  guarded([&] {
    verify(guess, [&](size_t r) {
      const auto row = logits.subspan(r * vocab, vocab);
      const int64_t before = made();
      made_.choose(row);
      if (request_.top_logprobs >= 0 && made() > before)
        choices_.push_back(choice_of(tokens().back(), row, request_.top_logprobs));
    });
  });
}

void Text::choose(const AskedLogits& logits, int64_t row, std::span<const int32_t> guess) {
  guarded([&] { verify(guess, [&](size_t r) { made_.choose(logits, row + static_cast<int64_t>(r)); }); });
}

bool Text::choose(const SomeLogits& logits) {
  bool certain = true;
  guarded([&] {
    certain = made_.choose(logits);
    if (certain) made_.add_forced();
  });
  return certain;
}

void Text::choose(std::span<const Likeliest> found, std::span<const int32_t> guess) {
  guarded([&] { verify(guess, [&](size_t r) { made_.accept(found[r].token()); }); });
}

void Text::take_hidden(int64_t position, std::span<const float> states, int64_t size) {
  const int64_t known = hidden_ - position, count = static_cast<int64_t>(states.size()) / size;
  if (known < count) {
    request_.on_hidden(states.subspan(static_cast<size_t>(known * size)));
    hidden_ = position + count;
  }
  if (hidden_ == prompt_size_) end(StopReason::max_tokens);
}

void Text::guarded(const std::function<void()>& f) {
  right_ = 0;
  try {
    f();
  } catch (const std::exception& e) {
    fail(e.what());
  }
}

void Text::verify(std::span<const int32_t> guess, const std::function<void(size_t row)>& choose) {
  size_t right = 0;
  for (bool more = true; more;) {
    choose(right);
    more = !ended() && right < guess.size() && tokens().back() == guess[right];
    right += more ? 1 : 0;
  }
  made_.result().drafted += static_cast<int64_t>(guess.size());
  made_.result().accepted += static_cast<int64_t>(right);
  right_ = static_cast<int64_t>(right);
  // Logits tell the probability of each token, so where that is asked for each has a step of its own.
  if (request_.top_logprobs < 0) made_.add_forced();
}

Text::Told Text::tell() {
  if (request_.on_prompt && !std::exchange(prompt_told_, true)) request_.on_prompt(reused);
  const bool failed = !error_.empty();
  size_t told = 0;
  made_.tell([&](int32_t id) {
    const size_t i = told++;
    return !request_.on_token || request_.on_token(i < choices_.size() ? choices_[i] : TokenChoice{.id = id});
  });
  choices_.clear();
  if (failed && made_.result().reason != StopReason::interrupted) error_.clear();  // nobody wanted that much
  return {static_cast<int64_t>(told), right_};
}

const DraftText* Text::read_by(Drafter& drafter) {
  if (!draft_) draft_.emplace(drafter);
  const size_t prompt = static_cast<size_t>(prompt_size_), size = tokens().size();
  for (size_t end = std::min(read_ + kReadAtOnce, size); read_ < end; ++read_)
    read_ < prompt ? draft_->read(tokens()[read_]) : draft_->add(tokens()[read_]);
  return read_ == size ? &*draft_ : nullptr;
}

void Text::fail(const std::string& error) {
  error_ = error;
  end(StopReason::interrupted);
}

void Text::leave() {
  if (!request_.on_end) return;
  const Generated& made = made_.result();
  request_.on_end(made, made.reason == StopReason::failed ? made.failure : error_);
}

}  // namespace lmc
