// What the routes of OpenAI's interface share.
#pragma once

#include <span>
#include <string>

#include "tools/serve/answering.h"

namespace lmc::serve {

// Fields of every route that makes text, in OpenAI's names, and what llama.cpp and vLLM take beside them.
Fields openai_sampling();
Fields openai_stream();
Asked openai_defaults();

Json usage_of(std::span<const Choice> choices);
// "chatcmpl-…", from the request's own id.
std::string object_id(const std::string& prefix, const Call& call);
int64_t now_seconds();  // since 1970
inline const std::string kDone = "data: [DONE]\n\n";
// The model as the client named it; its own name where it named none.
std::string model_name(const Service& service, const Asked& asked);

}  // namespace lmc::serve
