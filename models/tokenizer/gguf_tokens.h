// What GGUF files hold under tokenizer.ggml.*, as plain data:
// https://github.com/ggml-org/ggml/blob/master/docs/gguf.md What it means is decided by llama.cpp
// (src/llama-vocab.cpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/gguf/gguf.h"
#include "models/gguf/gguf_writer.h"
#include "models/tokenizer/source.h"

namespace lmc::tokenizer {

// token_type, as SentencePiece counts.
enum GgufTokenType : int32_t {
  kGgufNormal = 1,
  kGgufUnknown,
  kGgufControl,
  kGgufUserDefined,
  kGgufUnused,
  kGgufByte
};

struct GgufTokens {
  std::string model;  // "gpt2" (byte-level BPE) or "llama" (SentencePiece BPE by score)
  std::string pre;    // of gpt2: how text is cut (gguf_pre_tokenizer.h)
  std::vector<std::string> tokens;
  std::vector<int32_t> types;       // one per token
  std::vector<float> scores;        // of llama, one per token
  std::vector<std::string> merges;  // of gpt2: "left right"
  std::optional<int64_t> bos, eos, unknown;
  bool add_bos = false, add_eos = false;
  bool add_space_prefix = true, remove_extra_whitespaces = false;  // of llama
};

// True if the file holds tokens that are not just placeholders.
bool has_gguf_tokenizer(const GgufFile& file);
// Throws lmc::Error naming file and key.
GgufTokens read_gguf_tokens(const GgufFile& file);
// The steps and tables that these tokens stand for; `name` is said in errors.
Source gguf_source(const GgufTokens& tokens, const std::string& name);

// The tokenizer of a tokenizer.json in GGUF's terms, as far as those go: whoever writes it checks that it
// still gives the same ids. Nullopt if it is of another kind. `vocab` ids are filled. Throws
// lmc::Error naming `file` and field where that is not what a tokenizer.json has there.
std::optional<GgufTokens> gguf_tokens_of(const Source& source, int64_t vocab, const std::string& file);

void write_gguf_tokens(GgufWriter& out, const GgufTokens& tokens);
// One placeholder per id, so that programs which demand a vocabulary load the file.
GgufTokens placeholder_tokens(int64_t vocab);
void mark_placeholders(GgufWriter& out);

}  // namespace lmc::tokenizer
