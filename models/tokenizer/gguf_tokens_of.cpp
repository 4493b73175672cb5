// A tokenizer.json in GGUF's terms.
#include <map>

#include "models/tokenizer/gguf_tokens.h"
#include "models/tokenizer/json_fields.h"

namespace lmc::tokenizer {
namespace {

using nlohmann::json;

bool is_of_type(const json& step, const std::string& type) {
  const auto found = step.is_object() ? step.find("type") : step.end();
  return found != step.end() && *found == type;
}

// Does a step of this type occur anywhere in a chain of steps?
bool has_step(const json& steps, const std::string& type) {
  if (steps.is_array()) {
    for (const json& s : steps) {
      if (has_step(s, type)) return true;
    }
  }
  if (!steps.is_object()) return false;
  if (is_of_type(steps, type)) return true;
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
  Converter(const Source& source, int64_t vocab, const std::string& file)
      : source_(source), root_(source.rest, file, ""), vocab_(vocab) {}

  std::optional<GgufTokens> run() {
    if (!source_.has_vocab || !source_.has_merges) return std::nullopt;
    const Fields model = root_.object("model");
    if (model.text_or("type", "BPE") != "BPE") return std::nullopt;
    const bool bytes = model.flag_or("byte_fallback", false);
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
  json step(const char* name) const { return root_.has(name) ? source_.rest.at(name) : json(); }
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
    if (!root_.has("added_tokens")) return true;
    for (const Fields& a : root_.objects("added_tokens")) {
      const int64_t id = a.integer("id");
      if (id < 0 || id >= vocab_) return false;
      out_.tokens[static_cast<size_t>(id)] = a.text("content");
      out_.types[static_cast<size_t>(id)] = a.flag_or("special", false) ? kGgufControl : kGgufUserDefined;
    }
    return true;
  }

  // Pieces are merged by score there: the earlier a merge, the better.
  bool describe_pieces(const Fields& model) {
    std::map<std::string, int64_t> rank;
    for (size_t i = 0; i < source_.merges.size(); ++i)
      rank.emplace(left(source_.merges[i]) + right(source_.merges[i]), static_cast<int64_t>(i));
    const std::string unknown = model.text_or("unk_token", "");
    for (size_t i = 0; i < out_.tokens.size(); ++i) {
      const std::string& token = out_.tokens[i];
      if (model.has("unk_token") && unknown == token) {
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
    if (is_of_type(post, "TemplateProcessing")) found = &post;
    if (post.is_object() && post.contains("processors")) {
      for (const json& p : post["processors"]) {
        if (is_of_type(p, "TemplateProcessing")) found = &p;
      }
    }
    if (!found || !found->contains("single") || !(*found)["single"].is_array()) return;
    bool behind = false;
    for (const json& item : (*found)["single"]) {
      if (item.contains("Sequence")) behind = true;
      if (!item.contains("SpecialToken") || !item["SpecialToken"].contains("id")) continue;
      const json& name = item["SpecialToken"]["id"];
      for (size_t i = 0; i < out_.tokens.size(); ++i) {
        if (name != out_.tokens[i]) continue;
        (behind ? out_.eos : out_.bos) = static_cast<int64_t>(i);
        (behind ? out_.add_eos : out_.add_bos) = true;
      }
    }
  }

  const Source& source_;
  Fields root_;
  int64_t vocab_;
  GgufTokens out_;
};

}  // namespace

std::optional<GgufTokens> gguf_tokens_of(const Source& source, int64_t vocab, const std::string& file) {
  return Converter(source, vocab, file).run();
}

}  // namespace lmc::tokenizer
