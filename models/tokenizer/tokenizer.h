// Text to token ids and back, as the tokenizer.json or the SentencePiece model of a checkpoint says. Knows
// nothing of language models.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lmc {

class GgufFile;

struct TokenizerSummary {
  std::string model;   // "BPE", "Unigram", …
  int64_t tokens = 0;  // ids that have a text
  int64_t merges = 0;  // of BPE
  bool byte_fallback = false;
  // The chain of steps by type, such as "Digits, ByteLevel"; "none" without any.
  std::string normalizer, pre_tokenizer, post_processor, decoder;
  struct Special {
    int32_t id;
    std::string text;
  };
  std::vector<Special> specials;
};

// Immutable; copies share their tables, and any number of threads may use one.
class Tokenizer {
 public:
  // Whatever there is: a folder (of a bundle or a checkpoint) or a file in one of the formats below, told
  // apart by what is in it. Beside a SentencePiece model, tokenizer_config.json says whether bos and eos are
  // added; without it, bos is. Throws lmc::Error naming the file.
  static Tokenizer open(const std::string& path);
  // The file that open() reads in this folder, or "" if it holds no tokenizer.
  static std::string find_in(const std::string& folder);
  // Reads a Hugging Face tokenizer.json. Throws lmc::Error naming the file (and line where JSON is
  // malformed).
  static Tokenizer from_json_file(const std::string& path);
  static Tokenizer from_json(std::string_view json, const std::string& name);
  // Reads a SentencePiece model; special encoding adds its bos and eos tokens as told.
  static Tokenizer from_sentencepiece(std::string_view model, const std::string& name, bool add_bos,
                                      bool add_eos);
  // What a GGUF file carries under tokenizer.ggml.*.
  static Tokenizer from_gguf(const GgufFile& file);
  // The compact form that is mapped and used in place (tokenizer.bin of a bundle).
  static Tokenizer from_binary_file(const std::string& path);
  static Tokenizer from_binary(std::string bytes, const std::string& name);
  void write_binary(const std::string& path) const;
  std::string to_binary() const;

  // Text that is not UTF-8 is read with U+FFFD in place of what is invalid. `add_special` applies the
  // post-processor's template (such as <bos> in front).
  std::vector<int32_t> encode(std::string_view text, bool add_special) const;
  // Ids that are not in the vocabulary are passed over.
  std::string decode(std::span<const int32_t> ids, bool skip_special) const;

  // What it is made of, for people: model, steps, special tokens.
  TokenizerSummary summary() const;

  int32_t vocab_size() const;  // 1 + the largest id
  std::optional<int32_t> token_to_id(std::string_view token) const;
  std::string id_to_token(int32_t id) const;  // the token's text as in the vocabulary; "" if there is none
  bool is_special(int32_t id) const;
  // By id: the bytes that it adds to a text it does not open; a byte token's is that byte alone. "" for
  // special tokens, and for ids without a text.
  std::vector<std::string> token_bytes() const;
  std::string token_bytes(int32_t id) const;  // of one; "" for one that is not in the vocabulary, too

 private:
  friend class StreamDecoder;
  struct Tables;
  explicit Tokenizer(std::shared_ptr<const Tables> tables);
  std::shared_ptr<const Tables> tables_;
};

// Decodes ids as they come. What it returned, joined, equals decode() of all the ids: a character split over
// tokens is held back until it is complete, as is a run of byte tokens (<0x..>) until it ends.
class StreamDecoder {
 public:
  StreamDecoder(const Tokenizer& tokenizer, bool skip_special);
  ~StreamDecoder();
  StreamDecoder(StreamDecoder&&) noexcept;
  StreamDecoder& operator=(StreamDecoder&&) noexcept;

  std::string push(int32_t id);
  // What is left, with U+FFFD for what is no character. The decoder then starts anew.
  std::string flush();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lmc
