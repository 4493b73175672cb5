// The prompts of `lmc run --batch`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lmc {

// A line: a prompt, or (error) why it is none.
struct BatchLine {
  std::string prompt;
  std::optional<int64_t> max_tokens;  // of this one; -1: until the context is full
  std::string error;                  // names file and line
};

// One prompt a line; where the name ends in .jsonl, every line is {"prompt": "…", "max_tokens": 20}, whose
// second part may be left out and whose other keys say nothing. Of "-", standard input, it is JSON if the
// first character is a brace. Error for a file that cannot be read or holds no lines.
std::vector<BatchLine> read_prompts(const std::string& file);
// The same of its text.
std::vector<BatchLine> prompts_in(const std::string& text, const std::string& file);

}  // namespace lmc
