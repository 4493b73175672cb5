// Checks that vocabulary, merges and added tokens agree, and lays them out as tables.
#include "models/tokenizer/image_builder.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "ir/error.h"
#include "models/tokenizer/image.h"
#include "models/tokenizer/json_fields.h"
#include "models/tokenizer/normalizer.h"

namespace lmc::tokenizer {
namespace {

using nlohmann::json;

// `entries` sorted into buckets by hash; `buckets` says where each begins.
struct HashTable {
  std::vector<uint32_t> buckets;
  std::vector<uint32_t> entries;

  // `hash(i)` of the entries 0..count-1; those of one bucket keep their order.
  template <typename Hash>
  static HashTable make(size_t count, const Hash& hash) {
    HashTable out;
    const size_t size = std::bit_ceil(std::max<size_t>(count, 1));
    out.buckets.resize(size + 1);
    std::vector<uint32_t> bucket_of(count);
    for (size_t i = 0; i < count; ++i) {
      bucket_of[i] = static_cast<uint32_t>(hash(i) & (size - 1));
      ++out.buckets[bucket_of[i] + 1];
    }
    for (size_t b = 0; b < size; ++b) out.buckets[b + 1] += out.buckets[b];
    std::vector<uint32_t> next(out.buckets.begin(), out.buckets.end() - 1);
    out.entries.resize(count);
    for (size_t i = 0; i < count; ++i) out.entries[next[bucket_of[i]]++] = static_cast<uint32_t>(i);
    return out;
  }
};

class Builder {
 public:
  Builder(const JsonSource& source, const std::string& file)
      : source_(source), file_(file), root_(source.rest, file, ""), model_(root_.object("model")) {}

  std::string build() {
    check_model();
    collect_vocab();
    collect_added();
    build_texts();
    build_merges();
    build_added_lists();
    build_config();
    return layout();
  }

 private:
  [[noreturn]] void fail(const std::string& message) const { throw Error(Location{file_}, message); }

  void check_model() const {
    const std::string type = model_.text_or("type", "BPE");  // the oldest files do not name it
    if (type != "BPE") model_.fail_unknown("model type", type);
    if (!source_.has_vocab) model_.fail("'vocab' is missing (expected an object of token: id)");
    if (!source_.has_merges) model_.fail("'merges' is missing (expected a list)");
    if (source_.vocab.empty()) model_.fail("'vocab' is empty");
  }

  void place(std::string_view text, int64_t id, uint8_t flags, const std::string& where) {
    const auto i = static_cast<size_t>(id);
    if (i >= texts_.size()) {
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
    for (const auto& entry : source_.vocab) {
      place(source_.text(entry.offset, entry.length), entry.id, kInModel, "model.vocab");
    }
  }

  void collect_added() {
    if (!root_.has("added_tokens")) return;
    for (const Fields& token : root_.objects("added_tokens")) {
      const std::string content = token.text("content");
      const int64_t id = token.integer("id");
      if (content.empty()) continue;  // matches nothing, as in Hugging Face
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

  void build_merges() {
    std::vector<Merge> ranked;
    ranked.reserve(source_.merges.size());
    for (size_t rank = 0; rank < source_.merges.size(); ++rank) {
      const auto& [offset, left, right] = source_.merges[rank];
      ranked.push_back({id_in_merge(source_.text(offset, left), rank),
                        id_in_merge(source_.text(offset + left, right), rank), static_cast<uint32_t>(rank),
                        id_in_merge(source_.text(offset, size_t{left} + right), rank)});
    }
    // Of a pair given twice the last rank counts, as in Hugging Face; find_merge takes the first it meets.
    std::reverse(ranked.begin(), ranked.end());
    const auto table =
        HashTable::make(ranked.size(), [&](size_t i) { return hash_pair(ranked[i].left, ranked[i].right); });
    merge_buckets_ = table.buckets;
    for (const uint32_t i : table.entries) merges_.push_back(ranked[i]);
  }

  void build_added_lists() {
    const Normalizer normalize =
        root_.has("normalizer") ? make_normalizer(root_.object("normalizer")) : Normalizer();
    for (const Added& added : added_) {
      const bool normalized = added.normalized && normalize;
      const std::string text = normalized ? normalize(added.content) : added.content;
      if (text.empty()) continue;
      (added.normalized ? normalized_ : raw_)
          .push_back({static_cast<uint32_t>(pool_.size()), static_cast<uint32_t>(text.size()), added.id,
                      added.flags});
      pool_ += text;
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

  const JsonSource& source_;
  const std::string& file_;
  Fields root_;
  Fields model_;
  std::vector<std::string_view> texts_;  // by id
  std::vector<std::string_view> added_texts_;
  std::vector<uint8_t> flags_;
  std::vector<Added> added_;
  std::string pool_;
  std::vector<uint32_t> ends_;
  HashTable tokens_;
  std::vector<uint32_t> merge_buckets_;
  std::vector<Merge> merges_;
  std::vector<AddedToken> raw_;
  std::vector<AddedToken> normalized_;
  std::string config_;
};

}  // namespace

std::string build_image(const JsonSource& source, const std::string& file) {
  return Builder(source, file).build();
}

}  // namespace lmc::tokenizer
