// What the interfaces tell of the probability of tokens, and of likely ones beside them.
#pragma once

#include <span>

#include "tools/serve/answering.h"

namespace lmc::serve {

// [{"token", "bytes", "logprob", "top_logprobs": [the same of each], …}], as OpenAI's chat, Ollama and
// llama.cpp have it; llama.cpp has each token's id, too.
Json token_probabilities(const Service& service, std::span<const TokenChoice> tokens, bool with_ids = false);

}  // namespace lmc::serve
