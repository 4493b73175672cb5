// The prompts of `lmc run --batch`.
#pragma once

#include <string>
#include <vector>

namespace lmc {

// One prompt a line; where the name ends in .jsonl, every line is {"prompt": "…"}. Error naming file and
// line for an empty line, or for a file without any.
std::vector<std::string> read_prompts(const std::string& file);
// The same of its text.
std::vector<std::string> prompts_in(const std::string& text, const std::string& file);

}  // namespace lmc
