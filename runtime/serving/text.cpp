#include "runtime/serving/text.h"

#include <utility>

#include "runtime/serving/logprobs.h"

namespace lmc {

Text::Text(AnswerRequest request, int64_t vocab, int64_t context)
    : request_(std::move(request)),
      prompt_size_(static_cast<int64_t>(request_.prompt.size())),
      made_(request_.options, vocab, context, std::move(request_.prompt),
            [this](int32_t id) { return tell(id); }) {
  if (request_.options.max_tokens <= 0) end(StopReason::max_tokens);
}

void Text::choose(std::span<const float> logits) {
  prompt_is_fed();
  logits_ = logits;
  made_.choose(logits);
  add_forced();
}

void Text::accept(int32_t id) {
  prompt_is_fed();
  made_.accept(id);
  add_forced();
}

void Text::take_hidden(int64_t position, std::span<const float> states, int64_t size) {
  const int64_t known = hidden_ - position, count = static_cast<int64_t>(states.size()) / size;
  if (known < count) {
    request_.on_hidden(states.subspan(static_cast<size_t>(known * size)));
    hidden_ = position + count;
  }
  if (hidden_ == prompt_size_) end(StopReason::max_tokens);
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
