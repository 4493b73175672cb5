// tokenizer.ggml.* of a GGUF file, checked.
#include "ir/error.h"
#include "models/text/utf8.h"
#include "models/tokenizer/gguf_tokens.h"
#include "models/tokenizer/model_tokens.h"

namespace lmc::tokenizer {
namespace {

class Keys {
 public:
  explicit Keys(const GgufFile& file) : file_(file) {}

  [[noreturn]] void fail(const char* key, const std::string& message) const {
    throw Error(file_.path() + ": metadata key '" + full(key) + "' " + message);
  }
  const GgufValue* find(const char* key) const { return file_.find(full(key)); }
  const GgufValue& need(const char* key) const {
    const GgufValue* v = find(key);
    if (!v) fail(key, "is missing");
    return *v;
  }
  std::string text(const char* key) const {
    const auto v = need(key).text();
    if (!v) fail(key, "must be text");
    return std::string(*v);
  }
  std::vector<std::string> texts(const char* key) const {
    const auto v = need(key).texts();
    if (!v) fail(key, "must be a list of texts");
    std::vector<std::string> out;
    out.reserve(v->size());
    for (size_t i = 0; i < v->size(); ++i) {
      if (!is_valid_utf8((*v)[i])) fail(key, "holds text " + std::to_string(i) + ", which is not UTF-8");
      out.emplace_back((*v)[i]);
    }
    return out;
  }
  bool flag_or(const char* key, bool otherwise) const {
    const GgufValue* v = find(key);
    if (!v) return otherwise;
    const auto i = v->integer();
    if (!i) fail(key, "must be true or false");
    return *i != 0;
  }
  std::optional<int64_t> id(const char* key, size_t tokens) const {
    const GgufValue* v = find(key);
    if (!v) return std::nullopt;
    const auto i = v->integer();
    if (!i || *i < 0 || static_cast<size_t>(*i) >= tokens) fail(key, "is no token");
    return i;
  }

 private:
  static std::string full(const char* key) { return std::string("tokenizer.ggml.") + key; }
  const GgufFile& file_;
};

}  // namespace

GgufTokens read_gguf_tokens(const GgufFile& file) {
  const Keys keys(file);
  GgufTokens out;
  out.tokens = keys.texts("tokens");
  const size_t n = out.tokens.size();
  if (n == 0) keys.fail("tokens", "is empty");
  if (n > static_cast<size_t>(kMaxIds)) keys.fail("tokens", "holds more tokens than fit");
  out.types.assign(n, kGgufNormal);
  if (const GgufValue* v = keys.find("token_type")) {
    const auto types = v->integers();
    if (!types || types->size() != n) keys.fail("token_type", "must be one whole number per token");
    for (size_t i = 0; i < n; ++i) {
      if ((*types)[i] < kGgufNormal || (*types)[i] > kGgufByte)
        keys.fail("token_type", "holds " + std::to_string((*types)[i]) + "; types are 1 to 6");
      out.types[i] = static_cast<int32_t>((*types)[i]);
    }
  }
  out.model = keys.text("model");
  out.bos = keys.id("bos_token_id", n);
  out.eos = keys.id("eos_token_id", n);
  out.unknown = keys.id("unknown_token_id", n);
  out.add_eos = keys.flag_or("add_eos_token", false);
  if (out.model == "llama") {
    const auto scores = keys.need("scores").reals();
    if (!scores || scores->size() != n) keys.fail("scores", "must be one number per token");
    out.scores.assign(scores->begin(), scores->end());
    out.add_bos = keys.flag_or("add_bos_token", true);
    out.add_space_prefix = keys.flag_or("add_space_prefix", true);
    out.remove_extra_whitespaces = keys.flag_or("remove_extra_whitespaces", false);
  } else if (out.model == "gpt2") {
    out.add_bos = keys.flag_or("add_bos_token", false);
    out.merges = keys.texts("merges");
    out.pre = keys.find("pre") ? keys.text("pre") : "default";
  } else {
    keys.fail("model", "'" + out.model +
                           "' is not supported; there are gpt2 and llama. Pass --tokenizer FILE instead");
  }
  return out;
}

}  // namespace lmc::tokenizer
