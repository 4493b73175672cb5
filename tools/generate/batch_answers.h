// lmc run --batch: a record for each line, in order, whatever becomes of the others.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "tools/generate/answer_json.h"
#include "tools/generate/batch_file.h"
#include "tools/generate/generation.h"

namespace lmc {

struct BatchWork {
  std::string file;  // for messages
  std::span<const BatchLine> lines;
  int64_t at_a_time = 1;      // answers in the making, at most
  int64_t top_logprobs = -1;  // as AnswerRequest's
  bool hide_stop_ids = false;
  AnswerJsonOptions json;
};

// Prints a record for each line; one that cannot be answered gets one that says why, and a line on stderr.
// Error at the end if there were any; Interrupted behind the records of what had been begun.
void answer_lines(Engine& engine, const BatchWork& work, const GenerationFlags& flags,
                  const std::function<std::vector<int32_t>(const std::string& prompt)>& encode);

}  // namespace lmc
