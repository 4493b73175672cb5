#include "models/export/gguf_tokenizer.h"

#include <algorithm>

#include "ir/files.h"
#include "models/checkpoint/path_kind.h"
#include "models/tokenizer/gguf_pre_tokenizer.h"
#include "models/tokenizer/gguf_tokens.h"
#include "models/tokenizer/image_builder.h"
#include "models/tokenizer/json_source.h"
#include "models/tokenizer/tokenizer.h"

namespace lmc {
namespace {

constexpr const char* kChatTemplate = "tokenizer.chat_template";

// Where ways of cutting text differ: contractions, digits, punctuation, spaces, line ends, scripts.
constexpr const char* kProbes[] = {
    "Hello world",
    "  It's 1234567 o'clock, they'll say: \"WE'RE here\"...",
    "a\n\n b\r\n\tc   d \n",
    "f(x)=3.14*x^2+$7; <tag/> #1_000 @me 100%",
    "déjà vu naïve Übung e\u0301 \u00a0x",
    "日本語の文章 12 한국어 и русский ١٢٣",
    "😀👍🏽 ok",
    "<s> </s> <bos> <|endoftext|> [INST]",
    "",
    " ",
};

bool same_ids(const Tokenizer& a, const Tokenizer& b) {
  return std::all_of(std::begin(kProbes), std::end(kProbes), [&](const char* text) {
    const auto ids = a.encode(text, true);
    return ids == b.encode(text, true) && a.decode(ids, true) == b.decode(ids, true);
  });
}

// The tokens under the first name for the way of cutting that gives the same ids.
std::optional<tokenizer::GgufTokens> convert(const std::string& path, int64_t vocab) {
  const auto source = tokenizer::parse_json_source(read_file(path), path);
  auto tokens = tokenizer::gguf_tokens_of(source, vocab, path);
  if (!tokens) return std::nullopt;
  const Tokenizer original = Tokenizer::open(path);
  const bool cuts = tokens->scores.empty();  // pieces with scores are not cut from text first
  for (const std::string& pre : tokenizer::gguf_pre_tokenizer_choices()) {
    if (cuts) tokens->pre = pre;
    const Tokenizer read =
        Tokenizer::from_binary(tokenizer::build_image(tokenizer::gguf_source(*tokens, path), path), path);
    if (same_ids(original, read)) return tokens;
    if (!cuts) break;
  }
  return std::nullopt;
}

void add_chat_template(GgufWriter& out, const Model& m) {
  if (m.folder.empty()) return;
  if (const auto text = find_chat_template(m.folder)) out.add(kChatTemplate, std::string_view(text->source));
}

std::string add_placeholders(GgufWriter& out, const Model& m, const std::string& why) {
  auto tokens = tokenizer::placeholder_tokens(m.vocab);
  if (!m.bos_ids.empty()) tokens.bos = m.bos_ids[0];
  if (!m.eos_ids.empty()) tokens.eos = m.eos_ids[0];
  tokenizer::write_gguf_tokens(out, tokens);
  tokenizer::mark_placeholders(out);
  return why;
}

}  // namespace

std::string add_gguf_tokenizer(GgufWriter& out, const Model& m) {
  if (m.tokenizer.empty()) return add_placeholders(out, m, "the checkpoint has none");
  if (path_kind(m.tokenizer) == PathKind::gguf) {
    const GgufFile source(m.tokenizer);
    for (const auto& [key, value] : source.metadata()) {
      if (key.starts_with("tokenizer.")) out.add_stored(key, value.stored);
    }
    return "";
  }
  if (!m.tokenizer.ends_with(".json"))
    return add_placeholders(out, m, "only a tokenizer.json is converted, not " + m.tokenizer);
  auto tokens = convert(m.tokenizer, m.vocab);
  if (!tokens) return add_placeholders(out, m, "GGUF has no words for the steps of " + m.tokenizer);
  if (!tokens->bos && !m.bos_ids.empty()) tokens->bos = m.bos_ids[0];
  if (!m.eos_ids.empty()) tokens->eos = m.eos_ids[0];
  tokenizer::write_gguf_tokens(out, *tokens);
  add_chat_template(out, m);
  return "";
}

std::optional<ChatTemplateText> gguf_chat_template(const std::string& path) {
  const GgufFile file(path);
  const GgufValue* source = file.find(kChatTemplate);
  if (!source || !source->text() || !tokenizer::has_gguf_tokenizer(file)) return std::nullopt;
  const auto tokens = tokenizer::read_gguf_tokens(file);
  const auto text = [&](const std::optional<int64_t>& id) {
    return id ? tokens.tokens[static_cast<size_t>(*id)] : std::string();
  };
  return ChatTemplateText{std::string(*source->text()), text(tokens.bos), text(tokens.eos),
                          path + " (" + kChatTemplate + ")"};
}

}  // namespace lmc
