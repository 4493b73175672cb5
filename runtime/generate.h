// The loop of a language model: prompt in, tokens out, until something ends it.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "runtime/continuation.h"
#include "runtime/session.h"

namespace lmc {

// Continues the session's sequence with `prompt` and what the model makes of it. `on_token` sees each id as
// it is chosen, stop ids included; false ends the generation. The last id is chosen but not fed: the sequence
// then holds the prompt and all ids but that one.
Generated generate(Session& session, std::span<const int32_t> prompt, const GenerateOptions& options,
                   const std::function<bool(int32_t)>& on_token = {});

}  // namespace lmc
