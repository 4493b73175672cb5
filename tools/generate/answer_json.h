// An answer as `lmc run --json` prints it: one object, one line.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "tools/generate/generation.h"

namespace lmc {

struct AnswerJsonOptions {
  bool timings = false;          // under the names of llama.cpp's server; differ from run to run
  std::optional<uint64_t> seed;  // of what was drawn
};

// {"prompt_ids":…,"ids":…,"text":…,"stop_reason":…,"usage":{…}} and, where there is any, "error", "logprobs",
// "seed", "timings". `cached`: prompt tokens that need not be fed. Text that is no UTF-8 has replacement
// characters; without a tokenizer there is none.
std::string answer_json(const Engine& engine, std::span<const int32_t> prompt, size_t cached,
                        const Answer& answer, const AnswerJsonOptions& options);

// {"error":…} of a line that makes no answer.
std::string error_json(const std::string& why);

}  // namespace lmc
