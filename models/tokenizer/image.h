// The binary form of a tokenizer: flat tables that are used where they lie, in a mapped file or in memory.
// Every table is checked when it is opened, so that later look-ups need no checks. Little-endian, aligned
// to 8.
//
//   header   magic, checksum of all behind it, length, number of ids, where each section lies
//   texts    kTextEnds: u32 per id, where its text ends in kPool; kFlags: u8 per id
//   look-up  kTokenBuckets, kTokens: ids by hash of their text; bucket b is [buckets[b], buckets[b+1])
//   merges   kMergeBuckets, kMerges: by hash of the pair
//   added    kRawAdded, kNormalizedAdded: sorted by the text they match
//   pieces   kScores: f64 per id, or none; kTrie: of the tokens of a Unigram model, or none
//   kConfig  JSON: normalizer, pre_tokenizer, post_processor, decoder and the model's options
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "models/tokenizer/trie.h"

namespace lmc::tokenizer {

inline constexpr int32_t kMaxIds = 1 << 24;

enum TokenFlag : uint8_t {
  kInModel = 1,  // the model may produce it from text
  kAdded = 2,    // has an id, whether or not the model may produce it
  kSpecial = 4,
  kUserDefined = 8,  // SentencePiece: wherever it stands in the text, it is this token
  kUnused = 16,      // SentencePiece: only a step on the way to longer tokens
  kByte = 32,        // SentencePiece: stands for a byte, and never for its own text
};

struct Merge {
  uint32_t left;
  uint32_t right;
  uint32_t rank;
  uint32_t id;
};

enum AddedFlag : uint32_t { kSingleWord = 1, kLstrip = 2, kRstrip = 4 };

struct AddedToken {
  uint32_t offset;  // of the text it matches, in the pool
  uint32_t length;
  uint32_t id;
  uint32_t flags;
};

enum Section {
  kTextEnds,
  kFlags,
  kPool,
  kTokenBuckets,
  kTokens,
  kMergeBuckets,
  kMerges,
  kRawAdded,
  kNormalizedAdded,
  kScores,
  kTrie,
  kConfig,
  kSections
};

struct ImageHeader {
  char magic[8];
  uint64_t checksum;
  uint64_t file_bytes;
  uint64_t ids;
  struct {
    uint64_t offset;
    uint64_t bytes;
  } section[kSections];
};

// The last two are the version of the format.
inline constexpr char kImageMagic[8] = {'l', 'm', 'c', 't', 'o', 'k', '0', '2'};
inline constexpr size_t kImageMagicVersion = 6;

uint64_t image_checksum(std::string_view image);  // of all behind the checksum field
uint64_t hash_text(std::string_view text);
uint64_t hash_pair(uint32_t left, uint32_t right);

class Image {
 public:
  static Image map_file(const std::string& path);
  static Image from_bytes(std::string bytes, const std::string& name);

  std::string_view bytes() const { return bytes_; }
  int32_t ids() const { return static_cast<int32_t>(flags_.size()); }
  uint8_t flags(int32_t id) const { return flags_[static_cast<size_t>(id)]; }
  std::string_view text(int32_t id) const;
  std::optional<int32_t> find(std::string_view text) const;
  // The merge of a pair, or null.
  const Merge* find_merge(int32_t left, int32_t right) const;

  std::span<const AddedToken> raw_added() const { return raw_added_; }
  std::span<const AddedToken> normalized_added() const { return normalized_added_; }
  std::string_view added_text(const AddedToken& added) const {
    return pool_.substr(added.offset, added.length);
  }
  std::span<const double> scores() const { return scores_; }
  std::span<const TrieNode> trie() const { return trie_; }
  size_t merges() const { return merges_.size(); }
  std::string_view config() const { return config_; }

 private:
  Image(std::shared_ptr<const void> owner, std::string_view bytes, const std::string& name);
  void open(const std::string& name);

  std::shared_ptr<const void> owner_;
  std::string_view bytes_;
  std::span<const uint32_t> text_ends_;
  std::span<const uint8_t> flags_;
  std::string_view pool_;
  std::span<const uint32_t> token_buckets_;
  std::span<const uint32_t> tokens_;
  std::span<const uint32_t> merge_buckets_;
  std::span<const Merge> merges_;
  std::span<const AddedToken> raw_added_;
  std::span<const AddedToken> normalized_added_;
  std::span<const double> scores_;
  std::span<const TrieNode> trie_;
  std::string_view config_;
};

}  // namespace lmc::tokenizer
