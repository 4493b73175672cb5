// What is asked of a Batcher: one text to go on with, and who is told of it.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "runtime/continuation.h"

namespace lmc {

// A chosen token and the likeliest beside it, as probabilities of the model itself: before bias, penalty,
// temperature and constraint.
struct TokenChoice {
  int32_t id = 0;
  double logprob = 0;  // natural; with AnswerRequest::top_logprobs >= 0
  struct Other {
    int32_t id;
    double logprob;
  };
  std::vector<Other> top = {};  // likeliest first
};

struct AnswerRequest {
  std::vector<int32_t> prompt = {};
  // Without a drafter (BatcherOptions has it) and on_prompt; seconds count from submit().
  GenerateOptions options = {};
  int64_t top_logprobs = -1;  // -1: no logprobs at all
  // Where this is given no text is made: it gets the last hidden states of the prompt's tokens, one after the
  // other, some at a time ([tokens, Session::hidden_size()]), and then the request ends with max_tokens.
  std::function<void(std::span<const float> states)> on_hidden = {};
  // All are called by the thread that runs steps, in order, and must neither block nor throw. They may call
  // Batcher::submit() and cancel().
  std::function<void(int64_t reused)> on_prompt = {};     // the prompt has been fed, but for so many tokens
  std::function<bool(const TokenChoice&)> on_token = {};  // false ends the text
  std::function<void(const Generated&, const std::string& error)> on_end = {};  // once, last; "": no error
};

}  // namespace lmc
