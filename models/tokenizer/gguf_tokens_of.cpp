// A tokenizer.json in GGUF's terms.
#include <map>

#include "models/tokenizer/gguf_tokens.h"

namespace lmc::tokenizer {
namespace {

using nlohmann::json;

// Does a step of this type occur anywhere in a chain of steps?
bool has_step(const json& steps, const std::string& type) {
  if (steps.is_array()) {
    for (const json& s : steps) {
      if (has_step(s, type)) return true;
    }
  }
  if (!steps.is_object()) return false;
  if (steps.value("type", json()) == type) return true;
  for (const char* list : {"pretokenizers", "normalizers", "processors", "decoders"}) {
    if (steps.contains(list) && has_step(steps[list], type)) return true;
  }
  return false;
}

// <0x00> to <0xFF>
bool is_byte(const std::string& token) {
  return token.size() == 6 && token.starts_with("<0x") && token[5] == '>' &&
         token.find_first_not_of("0123456789ABCDEF", 3) == 5;
}

class Converter {
 public:
  Converter(const Source& source, int64_t vocab) : source_(source), vocab_(vocab) {}

  std::optional<GgufTokens> run() {
    const json& model = source_.rest.value("model", json::object());
    if (!source_.has_vocab || !source_.has_merges || model.value("type", json("BPE")) != "BPE")
      return std::nullopt;
    const bool bytes = model.value("byte_fallback", json(false)) == true;
    if (!bytes && !has_step(step("pre_tokenizer"), "ByteLevel")) return std::nullopt;
    out_.model = bytes ? "llama" : "gpt2";
    if (!place_vocab() || !place_added()) return std::nullopt;
    if (bytes) {
      if (!describe_pieces(model)) return std::nullopt;
    } else {
      for (const Source::Pair& m : source_.merges) out_.merges.push_back(left(m) + " " + right(m));
    }
    find_ends();
    return std::move(out_);
  }

 private:
  json step(const char* name) const { return source_.rest.value(name, json()); }
  std::string left(const Source::Pair& m) const { return std::string(source_.text(m.offset, m.left_length)); }
  std::string right(const Source::Pair& m) const {
    return std::string(source_.text(m.offset + m.left_length, m.right_length));
  }

  bool place_vocab() {
    for (int64_t i = 0; i < vocab_; ++i) out_.tokens.push_back("[PAD" + std::to_string(i) + "]");
    out_.types.assign(out_.tokens.size(), kGgufUnused);
    for (const Source::Entry& e : source_.vocab) {
      if (e.id < 0 || e.id >= vocab_) return false;
      out_.tokens[static_cast<size_t>(e.id)] = source_.text(e.offset, e.length);
      out_.types[static_cast<size_t>(e.id)] = kGgufNormal;
    }
    return true;
  }

  bool place_added() {
    for (const json& a : step("added_tokens")) {
      const auto id = a.value("id", int64_t{-1});
      if (id < 0 || id >= vocab_) return false;
      out_.tokens[static_cast<size_t>(id)] = a.value("content", "");
      out_.types[static_cast<size_t>(id)] = a.value("special", false) ? kGgufControl : kGgufUserDefined;
    }
    return true;
  }

  // Pieces are merged by score there: the earlier a merge, the better.
  bool describe_pieces(const json& model) {
    std::map<std::string, int64_t> rank;
    for (size_t i = 0; i < source_.merges.size(); ++i)
      rank.emplace(left(source_.merges[i]) + right(source_.merges[i]), static_cast<int64_t>(i));
    const json unknown = model.value("unk_token", json());
    for (size_t i = 0; i < out_.tokens.size(); ++i) {
      const std::string& token = out_.tokens[i];
      if (unknown == token) {
        out_.types[i] = kGgufUnknown;
        out_.unknown = static_cast<int64_t>(i);
      } else if (out_.types[i] == kGgufNormal && is_byte(token)) {
        out_.types[i] = kGgufByte;
      }
      const auto it = rank.find(token);
      out_.scores.push_back(it == rank.end() ? 0.0F : -static_cast<float>(it->second));
    }
    out_.add_space_prefix =
        has_step(step("normalizer"), "Prepend") || has_step(step("pre_tokenizer"), "Metaspace");
    out_.pre = "default";
    return out_.unknown.has_value();
  }

  // Special tokens that the template puts around a text.
  void find_ends() {
    const json post = step("post_processor");
    const json* found = nullptr;
    if (post.is_object() && post.value("type", json()) == "TemplateProcessing") found = &post;
    if (post.is_object() && post.contains("processors")) {
      for (const json& p : post["processors"]) {
        if (p.is_object() && p.value("type", json()) == "TemplateProcessing") found = &p;
      }
    }
    if (!found || !found->contains("single") || !(*found)["single"].is_array()) return;
    bool behind = false;
    for (const json& item : (*found)["single"]) {
      if (item.contains("Sequence")) behind = true;
      if (!item.contains("SpecialToken")) continue;
      const json name = item["SpecialToken"].value("id", json());
      for (size_t i = 0; i < out_.tokens.size(); ++i) {
        if (name != out_.tokens[i]) continue;
        (behind ? out_.eos : out_.bos) = static_cast<int64_t>(i);
        (behind ? out_.add_eos : out_.add_bos) = true;
      }
    }
  }

  const Source& source_;
  int64_t vocab_;
  GgufTokens out_;
};

}  // namespace

std::optional<GgufTokens> gguf_tokens_of(const Source& source, int64_t vocab) {
  return Converter(source, vocab).run();
}

}  // namespace lmc::tokenizer
