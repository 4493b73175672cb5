// The loop of a language model: prompt in, tokens out, until something ends it.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "runtime/sampler.h"
#include "runtime/session.h"

namespace lmc {

struct GenerateOptions {
  int64_t max_tokens = 128;
  std::vector<int32_t> stop_ids = {};  // end of sequence, end of turn, …
  SamplerOptions sampler = {};
  // Most tokens guessed ahead by prompt lookup (runtime/draft.h) and verified in one step; 0: none. The
  // tokens that come out are the same, drawn ones too.
  int64_t draft = 0;
  double seconds = 0;  // time limit, prompt included; 0: none
  // Called when the prompt has been fed, before any token is handed out.
  std::function<void()> on_prompt = {};
};

enum class StopReason : uint8_t {
  max_tokens,
  stop_id,
  context,      // the context is full
  callback,     // on_token said so
  timeout,      // GenerateOptions::seconds
  interrupted,  // SessionOptions::stop
};

struct Generated {
  std::vector<int32_t> ids;  // without the prompt; a stop id that ended it is the last
  StopReason reason = StopReason::max_tokens;
  int64_t drafted = 0, accepted = 0;  // guessed tokens: fed for verification, and found right
  double prompt_seconds = 0;          // until the first token was chosen
  double decode_seconds = 0;          // all later ones
};

// Continues the session's sequence with `prompt` and what the model makes of it. `on_token` sees each id as
// it is chosen, stop ids included; false ends the generation. The last id is chosen but not fed: the sequence
// then holds the prompt and all ids but that one.
Generated generate(Session& session, std::span<const int32_t> prompt, const GenerateOptions& options,
                   const std::function<bool(int32_t)>& on_token = {});

}  // namespace lmc
