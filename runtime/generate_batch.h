// Many prompts at once, by a Batcher (runtime/serving/batcher.h): when a text ends, the next prompt takes its
// place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "runtime/serving/answer_request.h"
#include "runtime/session.h"

namespace lmc {

// What is said of prompt number `prompt`, while others go on.
struct BatchListener {
  // Before on_token, with BatchDetails::top_logprobs.
  std::function<void(size_t prompt, const TokenChoice&)> on_choice = {};
  std::function<bool(size_t prompt, int32_t id)> on_token = {};  // as generate(): false ends the text
  std::function<void(size_t prompt, Generated)> on_end = {};     // once each, in the order they end
};

// Beyond the options that all prompts share.
struct BatchDetails {
  std::vector<int64_t> max_tokens = {};  // of each prompt; empty: those of the options
  int64_t top_logprobs = -1;             // as AnswerRequest::top_logprobs
};

// As generate() for each prompt in a sequence of its own: the same tokens, whatever the others are; every one
// has its own draw from the seed and its own time limit, from the moment it takes its place. Up to `slots`
// texts are in the making (1 … session.most_sequences()), each with caches of its own. The session's sequence
// stays as it is. False if the session was stopped: then the texts in the making end as interrupted, and
// prompts that still waited have no end. Error, possibly with some
// texts done, for a prompt that Session::check_prompt refuses.
bool generate_batch(Session& session, std::span<const std::vector<int32_t>> prompts,
                    const GenerateOptions& options, int64_t slots, const BatchListener& listener,
                    const BatchDetails& details = {});

}  // namespace lmc
