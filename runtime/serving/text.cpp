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
      made_(request_.options, vocab, context, std::move(request_.prompt),
            [this](int32_t id) { return tell(id); }) {
  if (request_.options.max_tokens <= 0) end(StopReason::max_tokens);
}

int64_t Text::choose(std::span<const float> logits, std::span<const int32_t> guess) {
  prompt_is_fed();
  const size_t vocab = logits.size() / (guess.size() + 1);
  size_t right = 0;
  for (bool more = true; more;) {
    logits_ = logits.subspan(right * vocab, vocab);
    made_.choose(logits_);
    more = !ended() && right < guess.size() && tokens().back() == guess[right];
    right += more ? 1 : 0;
  }
  made_.result().drafted += static_cast<int64_t>(guess.size());
  made_.result().accepted += static_cast<int64_t>(right);
  add_forced();
  return static_cast<int64_t>(right);
}

int64_t Text::choose(int32_t id) {
  prompt_is_fed();
  made_.accept(id);
  add_forced();
  return 0;
}

// Logits tell the probability of each token, so where that is asked for each has a step of its own.
void Text::add_forced() {
  if (request_.top_logprobs < 0) made_.add_forced();
}

void Text::prompt_is_fed() {
  if (request_.on_prompt && made_.result().ids.empty()) request_.on_prompt(reused);
}

bool Text::tell(int32_t id) {
  if (!request_.on_token) return true;
  if (request_.top_logprobs < 0) return request_.on_token({.id = id});
  return request_.on_token(choice_of(id, logits_, request_.top_logprobs));
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
