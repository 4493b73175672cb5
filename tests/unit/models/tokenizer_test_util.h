// Where the tokenizers of the tests are, and small ones written in the test itself.
#pragma once

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "models/tokenizer/tokenizer.h"

namespace lmc::testing {

inline std::string source_path(const std::string& path) { return std::string(LMC_SOURCE_DIR) + "/" + path; }

// The folder with publishers' tokenizers, which are not part of the project.
inline std::string shared_path(const std::string& path) {
  const char* folder = std::getenv("LMC_SHARED");
  return (folder != nullptr ? std::string(folder) : source_path("../shared")) + "/" + path;
}

inline std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A tokenizer of the letters a, b, c, space and U+2581, "ab" and "abc", with further parts put in or
// replaced.
inline nlohmann::json small_json(const nlohmann::json& parts = nlohmann::json::object()) {
  nlohmann::json out = nlohmann::json::parse(R"({
    "added_tokens": [{"id": 7, "content": "<s>", "special": true}],
    "model": {"type": "BPE", "vocab": {"<unk>": 0, "a": 1, "b": 2, "c": 3, "ab": 4, "abc": 5, " ": 6, "▁": 8},
              "merges": ["a b", ["ab", "c"]]}
  })");
  out.merge_patch(parts);
  return out;
}

inline Tokenizer small_tokenizer(const nlohmann::json& parts = nlohmann::json::object()) {
  return Tokenizer::from_json(small_json(parts).dump(), "small.json");
}

// The tokens of a text, joined by '|'.
inline std::string tokens_of(const Tokenizer& tokenizer, const std::string& text, bool add_special = false) {
  std::string out;
  for (const int32_t id : tokenizer.encode(text, add_special)) {
    out += (out.empty() ? "" : "|") + tokenizer.id_to_token(id);
  }
  return out;
}

}  // namespace lmc::testing
