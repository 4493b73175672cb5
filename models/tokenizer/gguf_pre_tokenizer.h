// The values of tokenizer.ggml.pre: how text is cut before byte-level BPE. The names are the format's.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace lmc::tokenizer {

struct GgufPreTokenizer {
  std::vector<std::string> names;
  std::vector<std::string> splits;  // regular expressions, one after the other
  bool ignore_merges = false;       // a piece that is a token is that token
  bool nfc = false;                 // text is composed first (llama.cpp leaves that to its caller)
};

const GgufPreTokenizer* gguf_pre_tokenizer(const std::string& name);  // null if it is not known
std::string gguf_pre_tokenizer_names();
std::vector<std::string> gguf_pre_tokenizer_choices();  // one name for each, in the order to try them

nlohmann::json gguf_pre_tokenizer_json(const GgufPreTokenizer& pre);  // as tokenizer.json says it

}  // namespace lmc::tokenizer
