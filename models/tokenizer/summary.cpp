// Steps are named by their types, sequences as what is in them.
#include "models/tokenizer/summary.h"

#include <nlohmann/json.hpp>

#include "models/text/json_text.h"

namespace lmc::tokenizer {
namespace {

using nlohmann::json;

std::string chain(const json& config, const char* key, const char* steps_key) {
  const auto found = config.find(key);
  if (found == config.end()) return "none";
  std::string out;
  const auto add = [&](const auto& self, const json& step) -> void {
    if (step.at("type") == "Sequence") {
      for (const json& inner : step.at(steps_key)) self(self, inner);
    } else {
      out += (out.empty() ? "" : ", ") + step.at("type").get<std::string>();
    }
  };
  add(add, *found);
  return out.empty() ? "none" : out;
}

}  // namespace

TokenizerSummary summarize(const Image& image) {
  const json config = parse_json(image.config(), "tokenizer");
  const json& model = config.at("model");
  TokenizerSummary out;
  out.model = model.value("type", image.trie().empty() ? "BPE" : "Unigram");
  const auto fallback = model.find("byte_fallback");
  out.byte_fallback = fallback != model.end() && *fallback == true;
  out.merges = static_cast<int64_t>(image.merges());
  out.normalizer = chain(config, "normalizer", "normalizers");
  out.pre_tokenizer = chain(config, "pre_tokenizer", "pretokenizers");
  out.post_processor = chain(config, "post_processor", "processors");
  out.decoder = chain(config, "decoder", "decoders");
  for (int32_t id = 0; id < image.ids(); ++id) {
    if (image.flags(id) != 0) ++out.tokens;
    if (image.flags(id) & kSpecial) out.specials.push_back({id, std::string(image.text(id))});
  }
  return out;
}

}  // namespace lmc::tokenizer
