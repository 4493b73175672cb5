#include "tools/generate/batch_file.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "ir/error.h"
#include "models/text/json_number.h"
#include "models/text/json_text.h"
#include "tools/cli/text_io.h"
#include "tools/system/files.h"

namespace lmc {
namespace {

BatchLine json_line(const std::string& line, const Location& at) {
  nlohmann::json j;
  try {
    j = parse_json(line, at.file);
  } catch (const Error&) {  // which line, and what it should be, says more
  }
  if (!j.is_object() || !j.contains("prompt") || !j.at("prompt").is_string())
    throw Error(at, "is not {\"prompt\": \"…\"}");
  BatchLine out{j.at("prompt").get<std::string>(), std::nullopt, ""};
  if (out.prompt.empty()) throw Error(at, "the prompt is empty");
  if (!j.contains("max_tokens")) return out;
  try {
    out.max_tokens = whole_number<int64_t>(j.at("max_tokens"));
  } catch (const nlohmann::json::exception&) {
  }
  if (!out.max_tokens || *out.max_tokens < -1)
    throw Error(at, "max_tokens must be a whole number of 0 or more, or -1");
  return out;
}

BatchLine line_at(const std::string& line, const Location& at, bool json) {
  try {
    if (line.empty()) throw Error(at, "is empty: every line must be a prompt");
    return json ? json_line(line, at) : BatchLine{line, std::nullopt, ""};
  } catch (const Error& e) {
    return {"", std::nullopt, e.what()};
  }
}

}  // namespace

std::vector<BatchLine> read_prompts(const std::string& file) {
  return prompts_in(file == "-" ? read_stdin() : read_input(file), file);
}

std::vector<BatchLine> prompts_in(const std::string& text, const std::string& file) {
  const bool json = file == "-" ? text.starts_with('{') : file.ends_with(".jsonl");
  const std::string name = file == "-" ? "standard input" : file;
  std::istringstream in(text);
  std::vector<BatchLine> out;
  for (std::string line; std::getline(in, line);) {
    if (line.ends_with('\r')) line.pop_back();
    out.push_back(line_at(line, {name, static_cast<int>(out.size()) + 1}, json));
  }
  if (out.empty()) throw Error(name + ": holds no prompts");
  return out;
}

}  // namespace lmc
