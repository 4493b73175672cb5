// Opening an image: every offset, id and text is checked once, here.
#include "models/tokenizer/image.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "ir/error.h"
#include "ir/files.h"
#include "models/text/utf8.h"

namespace lmc::tokenizer {

static_assert(std::endian::native == std::endian::little, "tokenizer.bin is little-endian");

uint64_t image_checksum(std::string_view image) {
  constexpr size_t kFrom = offsetof(ImageHeader, file_bytes);
  uint64_t sum = 0x9E3779B97F4A7C15u;
  for (size_t i = kFrom; i < image.size(); i += 8) {
    uint64_t word = 0;
    std::memcpy(&word, image.data() + i, std::min<size_t>(8, image.size() - i));
    sum = (std::rotl(sum, 23) ^ word) * 0xD6E8FEB86659FD93u;
  }
  return sum ^ (sum >> 32);
}

uint64_t hash_text(std::string_view text) {
  uint64_t hash = 0xCBF29CE484222325u;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001B3u;
  return hash ^ (hash >> 29);
}

uint64_t hash_pair(uint32_t left, uint32_t right) {
  const uint64_t key = (static_cast<uint64_t>(left) << 32 | right) * 0x9E3779B97F4A7C15u;
  return key ^ (key >> 32);
}

std::string_view Image::text(int32_t id) const {
  const auto i = static_cast<size_t>(id);
  const uint32_t begin = i == 0 ? 0 : text_ends_[i - 1];
  return pool_.substr(begin, text_ends_[i] - begin);
}

std::optional<int32_t> Image::find(std::string_view text) const {
  const size_t bucket = hash_text(text) & (token_buckets_.size() - 2);
  for (uint32_t i = token_buckets_[bucket]; i < token_buckets_[bucket + 1]; ++i) {
    const auto id = static_cast<int32_t>(tokens_[i]);
    if (this->text(id) == text) return id;
  }
  return std::nullopt;
}

const Merge* Image::find_merge(int32_t left, int32_t right) const {
  const auto l = static_cast<uint32_t>(left);
  const auto r = static_cast<uint32_t>(right);
  const size_t bucket = hash_pair(l, r) & (merge_buckets_.size() - 2);
  for (uint32_t i = merge_buckets_[bucket]; i < merge_buckets_[bucket + 1]; ++i) {
    if (merges_[i].left == l && merges_[i].right == r) return &merges_[i];
  }
  return nullptr;
}

Image Image::from_bytes(std::string bytes, const std::string& name) {
  auto owner = std::make_shared<const std::string>(std::move(bytes));
  return Image(owner, *owner, name);
}

Image Image::map_file(const std::string& path) {
  auto owner = std::make_shared<const MappedFile>(path);
  const std::span<const std::byte> bytes = owner->bytes();
  return Image(owner, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
}

Image::Image(std::shared_ptr<const void> owner, std::string_view bytes, const std::string& name)
    : owner_(std::move(owner)), bytes_(bytes) {
  open(name);
}

namespace {

class Checker {
 public:
  Checker(std::string_view bytes, const std::string& name) : bytes_(bytes), name_(name) {
    if (bytes.size() < sizeof(ImageHeader)) fail("too short to be one");
    std::memcpy(&header_, bytes.data(), sizeof header_);
    if (std::memcmp(header_.magic, kImageMagic, kImageMagicVersion) != 0)
      fail("its first bytes are not 'lmctok'");
    if (std::memcmp(header_.magic, kImageMagic, sizeof kImageMagic) != 0)
      fail("it has another version of the format than this lmc");
    if (header_.file_bytes != bytes.size()) {
      fail("it says it has " + std::to_string(header_.file_bytes) + " bytes, found " +
           std::to_string(bytes.size()));
    }
    if (header_.checksum != image_checksum(bytes)) fail("its checksum is wrong");
    if (header_.ids == 0 || header_.ids > static_cast<uint64_t>(kMaxIds)) fail("bad number of ids");
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(Location{name_}, "not a sound tokenizer.bin: " + what + "; write it anew");
  }
  void require(bool holds, const char* what) const {
    if (!holds) fail(what);
  }

  template <typename T>
  std::span<const T> section(Section which) const {
    const auto [offset, bytes] = header_.section[which];
    require(offset % 8 == 0 && offset >= sizeof header_ && offset <= bytes_.size() &&
                bytes <= bytes_.size() - offset && bytes % sizeof(T) == 0,
            "a section lies outside of the file");
    return {reinterpret_cast<const T*>(bytes_.data() + offset), bytes / sizeof(T)};
  }
  std::string_view text_section(Section which) const {
    const auto found = section<char>(which);
    return {found.data(), found.size()};
  }
  // A power of two buckets that share out exactly `entries`.
  void check_buckets(std::span<const uint32_t> buckets, size_t entries) const {
    require(buckets.size() >= 2 && std::has_single_bit(buckets.size() - 1), "bad number of hash buckets");
    require(
        buckets.front() == 0 && buckets.back() == entries && std::is_sorted(buckets.begin(), buckets.end()),
        "bad hash buckets");
  }
  uint64_t ids() const { return header_.ids; }

 private:
  std::string_view bytes_;
  const std::string& name_;
  ImageHeader header_;
};

}  // namespace

void Image::open(const std::string& name) {
  const Checker check(bytes_, name);
  text_ends_ = check.section<uint32_t>(kTextEnds);
  flags_ = check.section<uint8_t>(kFlags);
  pool_ = check.text_section(kPool);
  token_buckets_ = check.section<uint32_t>(kTokenBuckets);
  tokens_ = check.section<uint32_t>(kTokens);
  merge_buckets_ = check.section<uint32_t>(kMergeBuckets);
  merges_ = check.section<Merge>(kMerges);
  raw_added_ = check.section<AddedToken>(kRawAdded);
  normalized_added_ = check.section<AddedToken>(kNormalizedAdded);
  scores_ = check.section<double>(kScores);
  trie_ = check.section<TrieNode>(kTrie);
  config_ = check.text_section(kConfig);

  const auto is_id = [&](uint64_t id) { return id < check.ids(); };
  const auto starts_char = [&](size_t at) {
    return at == pool_.size() || (static_cast<uint8_t>(pool_[at]) & 0xC0) != 0x80;
  };
  check.require(text_ends_.size() == check.ids() && flags_.size() == check.ids(),
                "a table has the wrong length");
  check.require(is_valid_utf8(pool_), "a token is not UTF-8");
  uint32_t last_end = 0;
  for (const uint32_t end : text_ends_) {
    check.require(end >= last_end && end <= pool_.size() && starts_char(end), "bad text of a token");
    last_end = end;
  }
  check.check_buckets(token_buckets_, tokens_.size());
  check.require(std::all_of(tokens_.begin(), tokens_.end(), is_id), "an id is out of range");
  check.check_buckets(merge_buckets_, merges_.size());
  for (const Merge& merge : merges_) {
    check.require(is_id(merge.left) && is_id(merge.right) && is_id(merge.id), "a merge's id is out of range");
  }
  check.require(scores_.empty() || scores_.size() == check.ids(), "a table has the wrong length");
  for (const double score : scores_) check.require(std::isfinite(score), "a score is not a number");
  for (size_t n = 0; n < trie_.size(); ++n) {
    const auto& [first_child, token, children, byte, unused] = trie_[n];
    check.require(first_child > n && size_t{first_child} + children <= trie_.size() &&
                      (token == TrieNode::kNoToken || is_id(static_cast<uint32_t>(token))),
                  "a bad node of the trie");
  }
  for (const auto& list : {raw_added_, normalized_added_}) {
    std::string_view previous;
    for (const AddedToken& added : list) {
      check.require(is_id(added.id) && added.length > 0 && added.offset <= pool_.size() &&
                        added.length <= pool_.size() - added.offset && starts_char(added.offset) &&
                        starts_char(added.offset + added.length),
                    "a bad added token");
      check.require(previous < added_text(added), "added tokens are out of order");
      previous = added_text(added);
    }
  }
}

}  // namespace lmc::tokenizer
