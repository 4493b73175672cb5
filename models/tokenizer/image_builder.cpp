// Checks that vocabulary, merges and added tokens agree, and lays them out as tables.
#include "models/tokenizer/image_builder.h"

#include <algorithm>
#include <cstring>

#include "ir/error.h"
#include "models/tokenizer/cpu_limit.h"
#include "models/tokenizer/hash_table.h"
#include "models/tokenizer/image.h"
#include "models/tokenizer/json_fields.h"
#include "models/tokenizer/normalizer.h"

namespace lmc::tokenizer {
namespace {

using nlohmann::json;

constexpr size_t kMostGaps = 1 << 16;   // ids that no token has
constexpr size_t kLongestAdded = 1024;  // bytes; each may be tried wherever a text has its first byte

class Builder {
 public:
  Builder(const Source& source, const std::string& file)
      : source_(source), file_(file), root_(source.rest, file, ""), model_(root_.object("model")) {}

  std::string build() {
    check_model();
    collect_vocab();
    collect_added();
    build_texts();
    build_merges();
    build_scores();
    build_added_lists();
    build_config();
    return layout();
  }

 private:
  [[noreturn]] void fail(const std::string& message) const { throw Error(Location{file_}, message); }

  // The oldest files do not name the type.
  std::string type() const { return model_.text_or("type", source_.has_pieces ? "Unigram" : "BPE"); }

  void check_model() const {
    const bool scored = type() == "Unigram" || type() == "SentencePieceBPE";
    if (!source_.has_vocab && !source_.has_pieces)
      model_.fail("'vocab' is missing (expected an object of token: id, or a list of [token, score])");
    if (scored && !source_.has_pieces) model_.fail("'vocab' must be a list of [token, score] for " + type());
    if (!scored && !source_.has_vocab) model_.fail("'vocab' must be an object of token: id for " + type());
    if (type() == "BPE" && !source_.has_merges) model_.fail("'merges' is missing (expected a list)");
    if (source_.vocab.empty()) model_.fail("'vocab' is empty");
  }

  void place(std::string_view text, int64_t id, uint8_t flags, const std::string& where) {
    const auto i = static_cast<size_t>(id);
    if (i >= texts_.size()) {
      // Tables by id must not be much larger than what they hold.
      if (i >= kMostGaps + 8 * tokens_in_all_) {
        fail(where + ": '" + std::string(text) + "' has the id " + std::to_string(id) + ", far above the " +
             std::to_string(tokens_in_all_) + " tokens there are");
      }
      texts_.resize(i + 1);
      flags_.resize(i + 1);
    }
    if (flags_[i] != 0 && texts_[i] != text) {
      fail(where + ": '" + std::string(text) + "' has the id " + std::to_string(id) + " of '" +
           std::string(texts_[i]) + "'");
    }
    texts_[i] = text;
    flags_[i] |= flags;
  }

  void collect_vocab() {
    tokens_in_all_ = source_.vocab.size();
    if (root_.has("added_tokens")) tokens_in_all_ += root_.objects("added_tokens").size();
    for (const auto& entry : source_.vocab) {
      place(source_.text(entry.offset, entry.length), entry.id, entry.flags, "model.vocab");
    }
  }

  void collect_added() {
    if (!root_.has("added_tokens")) return;
    for (const Fields& token : root_.objects("added_tokens")) {
      const std::string content = token.text("content");
      const int64_t id = token.integer("id");
      if (content.empty()) continue;  // matches nothing, as in Hugging Face
      if (content.size() > kLongestAdded) token.fail("'content' has more than 1024 bytes");
      if (id < 0 || id >= kMaxIds) {
        token.fail("the id " + std::to_string(id) + " is not within 0 to " + std::to_string(kMaxIds - 1));
      }
      const bool special = token.flag_or("special", false);
      added_texts_.push_back(token.value().at("content").get_ref<const std::string&>());
      place(added_texts_.back(), id, kAdded | (special ? kSpecial : 0), token.path());
      uint32_t flags = 0;
      if (token.flag_or("single_word", false)) flags |= kSingleWord;
      if (token.flag_or("lstrip", false)) flags |= kLstrip;
      if (token.flag_or("rstrip", false)) flags |= kRstrip;
      added_.push_back(
          {content, static_cast<uint32_t>(id), flags, token.flag_or("normalized", !special), special});
    }
    // Special ones come first where two match the same text.
    std::stable_partition(added_.begin(), added_.end(), [](const Added& added) { return added.special; });
  }

  // Texts by id, and the look-up of ids by text.
  void build_texts() {
    std::vector<uint32_t> present;
    for (size_t id = 0; id < texts_.size(); ++id) {
      pool_ += texts_[id];
      if (pool_.size() > UINT32_MAX / 2) fail("the tokens hold more than 2 GiB of text");
      ends_.push_back(static_cast<uint32_t>(pool_.size()));
      if (flags_[id] != 0) present.push_back(static_cast<uint32_t>(id));
    }
    tokens_ = HashTable::make(present.size(), [&](size_t i) { return hash_text(texts_[present[i]]); });
    for (uint32_t& entry : tokens_.entries) entry = present[entry];
    for (size_t bucket = 0; bucket + 1 < tokens_.buckets.size(); ++bucket) check_distinct(bucket);
  }
  void check_distinct(size_t bucket) const {
    for (uint32_t i = tokens_.buckets[bucket]; i < tokens_.buckets[bucket + 1]; ++i) {
      for (uint32_t j = tokens_.buckets[bucket]; j < i; ++j) {
        const uint32_t a = tokens_.entries[j];
        const uint32_t b = tokens_.entries[i];
        if (texts_[a] == texts_[b]) {
          fail("the token '" + std::string(texts_[a]) + "' has two ids, " + std::to_string(a) + " and " +
               std::to_string(b));
        }
      }
    }
  }
  uint32_t id_in_merge(std::string_view text, size_t rank) const {
    const size_t bucket = hash_text(text) & (tokens_.buckets.size() - 2);
    for (uint32_t i = tokens_.buckets[bucket]; i < tokens_.buckets[bucket + 1]; ++i) {
      const uint32_t id = tokens_.entries[i];
      if (texts_[id] == text && (flags_[id] & kInModel)) return id;
    }
    fail("model.merges[" + std::to_string(rank) + "]: '" + std::string(text) + "' is not in model.vocab");
  }

  // A merge drops the mark that a continuing part of a word bears ("##").
  uint32_t merged_id(const Source::Pair& pair, std::string_view mark, size_t rank) const {
    const auto& [offset, left, right] = pair;
    const auto refuse = [&](const std::string& message) {
      fail("model.merges[" + std::to_string(rank) + "]: " + message);
    };
    const std::string_view tail = source_.text(offset + left, right);
    if (!tail.starts_with(mark)) refuse("'" + std::string(tail) + "' lacks the continuing_subword_prefix");
    if (left == 0 || tail.size() == mark.size()) refuse("one of the two tokens is empty");
    if (mark.empty()) return id_in_merge(source_.text(offset, size_t{left} + right), rank);
    return id_in_merge(std::string(source_.text(offset, left)).append(tail.substr(mark.size())), rank);
  }

  void build_merges() {
    const std::string mark = model_.text_or("continuing_subword_prefix", "");
    std::vector<Merge> ranked;
    ranked.reserve(source_.merges.size());
    for (size_t rank = 0; rank < source_.merges.size(); ++rank) {
      const auto& [offset, left, right] = source_.merges[rank];
      ranked.push_back({id_in_merge(source_.text(offset, left), rank),
                        id_in_merge(source_.text(offset + left, right), rank), static_cast<uint32_t>(rank),
                        merged_id(source_.merges[rank], mark, rank)});
    }
    // Of a pair given twice the last rank counts, as in Hugging Face; find_merge takes the first it meets.
    std::reverse(ranked.begin(), ranked.end());
    const auto table =
        HashTable::make(ranked.size(), [&](size_t i) { return hash_pair(ranked[i].left, ranked[i].right); });
    merge_buckets_ = table.buckets;
    for (const uint32_t i : table.entries) merges_.push_back(ranked[i]);
  }

  // Unigram models look for every token that begins at a place.
  void build_scores() {
    if (!source_.has_pieces) return;
    scores_.resize(texts_.size());
    for (const auto& entry : source_.vocab) scores_[static_cast<size_t>(entry.id)] = entry.score;
    if (type() != "Unigram") return;
    std::vector<std::pair<std::string_view, int32_t>> tokens;
    for (size_t id = 0; id < texts_.size(); ++id) {
      if ((flags_[id] & kInModel) && !(flags_[id] & kUnused))
        tokens.emplace_back(texts_[id], static_cast<int32_t>(id));
    }
    std::sort(tokens.begin(), tokens.end());
    trie_ = tokenizer::build_trie(tokens);
  }

  void build_added_lists() {
    const Normalizer normalize =
        root_.has("normalizer") ? make_normalizer(root_.object("normalizer")) : Normalizer();
    CpuLimit time(0.5 + 2e-5 * static_cast<double>(added_.size()));
    for (const Added& added : added_) {
      const bool normalized = added.normalized && normalize;
      const std::string text = normalized ? normalize(added.content) : added.content;
      if (!time.lasts()) fail("added_tokens: normalizing them takes too long");
      if (text.empty()) continue;
      (added.normalized ? normalized_ : raw_)
          .push_back({static_cast<uint32_t>(pool_.size()), static_cast<uint32_t>(text.size()), added.id,
                      added.flags});
      pool_ += text;
    }
    // SentencePiece's BPE never joins these to anything; its normalizer has left them as they are.
    for (size_t id = 0; type() == "SentencePieceBPE" && id < texts_.size(); ++id) {
      if (!(flags_[id] & kUserDefined)) continue;
      const uint32_t begin = id == 0 ? 0 : ends_[id - 1];
      normalized_.push_back({begin, ends_[id] - begin, static_cast<uint32_t>(id), 0});
    }
    for (auto* list : {&raw_, &normalized_}) {
      const auto text = [&](const AddedToken& t) {
        return std::string_view(pool_).substr(t.offset, t.length);
      };
      std::stable_sort(list->begin(), list->end(),
                       [&](const AddedToken& a, const AddedToken& b) { return text(a) < text(b); });
      const auto same = [&](const AddedToken& a, const AddedToken& b) { return text(a) == text(b); };
      list->erase(std::unique(list->begin(), list->end(), same), list->end());
    }
  }

  void build_config() {
    json config = json::object();
    for (const char* key : {"normalizer", "pre_tokenizer", "post_processor", "decoder", "model"}) {
      if (root_.has(key)) config[key] = source_.rest.at(key);
    }
    config_ = config.dump();
  }

  std::string layout() const {
    ImageHeader header = {};
    std::memcpy(header.magic, kImageMagic, sizeof kImageMagic);
    header.ids = texts_.size();
    std::string out(sizeof header, '\0');
    const auto add = [&](Section which, const auto& table) {
      out.resize((out.size() + 7) / 8 * 8);
      const size_t bytes = table.size() * sizeof(table[0]);
      header.section[which] = {out.size(), bytes};
      if (bytes > 0) out.append(reinterpret_cast<const char*>(table.data()), bytes);
    };
    add(kTextEnds, ends_);
    add(kFlags, flags_);
    add(kPool, pool_);
    add(kTokenBuckets, tokens_.buckets);
    add(kTokens, tokens_.entries);
    add(kMergeBuckets, merge_buckets_);
    add(kMerges, merges_);
    add(kRawAdded, raw_);
    add(kNormalizedAdded, normalized_);
    add(kScores, scores_);
    add(kTrie, trie_);
    add(kConfig, config_);
    header.file_bytes = out.size();
    std::memcpy(out.data(), &header, sizeof header);
    header.checksum = image_checksum(out);
    std::memcpy(out.data(), &header, sizeof header);
    return out;
  }

  struct Added {
    std::string content;
    uint32_t id;
    uint32_t flags;
    bool normalized;
    bool special;
  };

  const Source& source_;
  const std::string& file_;
  Fields root_;
  Fields model_;
  size_t tokens_in_all_ = 0;
  std::vector<std::string_view> texts_;  // by id
  std::vector<std::string_view> added_texts_;
  std::vector<uint8_t> flags_;
  std::vector<Added> added_;
  std::string pool_;
  std::vector<uint32_t> ends_;
  HashTable tokens_;
  std::vector<uint32_t> merge_buckets_;
  std::vector<Merge> merges_;
  std::vector<double> scores_;  // by id
  std::vector<TrieNode> trie_;
  std::vector<AddedToken> raw_;
  std::vector<AddedToken> normalized_;
  std::string config_;
};

}  // namespace

std::string build_image(const Source& source, const std::string& file) {
  return Builder(source, file).build();
}

}  // namespace lmc::tokenizer
