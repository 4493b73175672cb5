#include "models/tokenizer/gguf_tokens.h"

namespace lmc::tokenizer {
namespace {

// A key that lmc writes when it had no tokenizer to write.
constexpr const char* kPlaceholders = "lmc.placeholder_tokens";
constexpr int64_t kFirstByte = 3;  // behind <unk>, <s> and </s>, as in SentencePiece models

std::string byte_token(int64_t byte) {
  constexpr const char* kHex = "0123456789ABCDEF";
  return std::string("<0x") + kHex[byte / 16] + kHex[byte % 16] + ">";
}

}  // namespace

bool has_gguf_tokenizer(const GgufFile& file) {
  return file.find("tokenizer.ggml.tokens") != nullptr && file.find(kPlaceholders) == nullptr;
}

void mark_placeholders(GgufWriter& out) { out.add(kPlaceholders, true); }

GgufTokens placeholder_tokens(int64_t vocab) {
  GgufTokens out;
  out.model = "llama";
  out.pre = "default";
  for (int64_t i = 0; i < vocab; ++i) {
    const int64_t byte = i - kFirstByte;
    if (byte < 0) {
      out.tokens.push_back(i == 0 ? "<unk>" : i == 1 ? "<s>" : "</s>");
      out.types.push_back(i == 0 ? kGgufUnknown : kGgufControl);
    } else {
      out.tokens.push_back(byte < 256 ? byte_token(byte) : "[" + std::to_string(i) + "]");
      out.types.push_back(byte < 256 ? kGgufByte : kGgufNormal);
    }
    out.scores.push_back(byte < 256 ? 0.0F : static_cast<float>(-i));
  }
  out.unknown = 0;
  out.add_space_prefix = false;
  return out;
}

void write_gguf_tokens(GgufWriter& out, const GgufTokens& t) {
  const auto key = [](const char* name) { return std::string("tokenizer.ggml.") + name; };
  out.add(key("model"), std::string_view(t.model));
  out.add(key("pre"), std::string_view(t.pre));
  out.add(key("tokens"), t.tokens);
  out.add(key("token_type"), t.types);
  if (t.model == "llama") {
    out.add(key("scores"), t.scores);
    out.add(key("add_space_prefix"), t.add_space_prefix);
  } else {
    out.add(key("merges"), t.merges);
  }
  const auto id = [&](const char* name, const std::optional<int64_t>& token) {
    if (token) out.add(key(name), static_cast<uint32_t>(*token));
  };
  id("bos_token_id", t.bos);
  id("eos_token_id", t.eos);
  id("unknown_token_id", t.unknown);
  out.add(key("add_bos_token"), t.add_bos);
  out.add(key("add_eos_token"), t.add_eos);
}

}  // namespace lmc::tokenizer
