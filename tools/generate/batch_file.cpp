#include "tools/generate/batch_file.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "ir/error.h"
#include "models/text/json_text.h"
#include "tools/system/files.h"

namespace lmc {
namespace {

std::string prompt_of(const std::string& line, const Location& at) {
  nlohmann::json j;
  try {
    j = parse_json(line, at.file);
  } catch (const Error&) {  // which line, and what it should be, says more
  }
  if (!j.is_object() || !j.contains("prompt") || !j.at("prompt").is_string())
    throw Error(at, "is not {\"prompt\": \"…\"}");
  return j.at("prompt").get<std::string>();
}

}  // namespace

std::vector<std::string> read_prompts(const std::string& file) { return prompts_in(read_input(file), file); }

std::vector<std::string> prompts_in(const std::string& text, const std::string& file) {
  std::istringstream in(text);
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) {
    if (line.ends_with('\r')) line.pop_back();
    const Location at{file, static_cast<int>(out.size()) + 1};
    if (line.empty()) throw Error(at, "is empty: every line must be a prompt");
    out.push_back(file.ends_with(".jsonl") ? prompt_of(line, at) : line);
  }
  if (out.empty()) throw Error(file + ": holds no prompts");
  return out;
}

}  // namespace lmc
