#include "models/tokenizer/gguf_pre_tokenizer.h"

#include <algorithm>

namespace lmc::tokenizer {
namespace {

using nlohmann::json;

constexpr const char* kWords =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr const char* kPunctuation = R"([\p{P}\$\+<=>\^~\|`]+)";

// Newer ones: words with one leading letter of any kind, line ends by themselves, up to `digits` digits.
std::string modern(const std::string& digits) {
  return R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N})" + digits +
         R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
}

const std::vector<GgufPreTokenizer>& table() {
  static const std::vector<GgufPreTokenizer> all = {
      {{"default"}, {kPunctuation, kWords, R"(\p{N}+)", "[0-9][0-9][0-9]"}},
      {{"gpt-2", "phi-2"}, {kWords}},
      {{"llama-bpe", "llama-v3", "llama3"}, {modern("{1,3}")}, true},
      {{"qwen2", "deepseek-r1-qwen"}, {modern("")}, false, true},
      {{"starcoder", "refact", "command-r", "smollm"}, {R"(\p{N})", kWords}},
      {{"falcon"}, {kPunctuation, kWords, "[0-9][0-9][0-9]"}},
  };
  return all;
}

}  // namespace

const GgufPreTokenizer* gguf_pre_tokenizer(const std::string& name) {
  for (const GgufPreTokenizer& p : table()) {
    if (std::find(p.names.begin(), p.names.end(), name) != p.names.end()) return &p;
  }
  return nullptr;
}

std::string gguf_pre_tokenizer_names() {
  std::string out;
  for (const GgufPreTokenizer& p : table()) {
    for (const std::string& n : p.names) out += (out.empty() ? "" : ", ") + n;
  }
  return out;
}

std::vector<std::string> gguf_pre_tokenizer_choices() {
  std::vector<std::string> out;
  for (const GgufPreTokenizer& p : table()) {
    if (p.names[0] != "default") out.push_back(p.names[0]);
  }
  return out;
}

json gguf_pre_tokenizer_json(const GgufPreTokenizer& pre) {
  json steps = json::array();
  for (const std::string& regex : pre.splits)
    steps.push_back(
        {{"type", "Split"}, {"pattern", {{"Regex", regex}}}, {"behavior", "Isolated"}, {"invert", false}});
  steps.push_back({{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}});
  return {{"type", "Sequence"}, {"pretokenizers", steps}};
}

}  // namespace lmc::tokenizer
