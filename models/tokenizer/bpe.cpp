// Byte pair encoding of one word: its characters, joined by the lowest ranked merge until none applies.
// A word may be the whole text (Gemma does not split), so merging uses a queue and a linked list of symbols.
#include <algorithm>
#include <functional>

#include "models/text/utf8.h"
#include "models/tokenizer/model_tokens.h"
#include "models/tokenizer/word_model.h"

namespace lmc::tokenizer {
namespace {

constexpr uint32_t kEnd = UINT32_MAX;
constexpr size_t kDirectChars = 0x800;  // ASCII, the byte alphabet and all of two bytes

class Bpe : public WordModel {
 public:
  Bpe(const Image& image, const Fields& spec) : image(image), bytes(image) {
    if (spec.has("dropout") && spec.value().at("dropout") != 0)
      spec.fail("'dropout' is not supported: it makes the tokens random");
    fuse_unknown = spec.flag_or("fuse_unk", false);
    byte_fallback = spec.flag_or("byte_fallback", false);
    ignore_merges = spec.flag_or("ignore_merges", false);
    continuing_prefix = spec.text_or("continuing_subword_prefix", "");
    word_suffix = spec.text_or("end_of_word_suffix", "");
    unknown = unknown_id(image, spec);
    std::string text;
    for (size_t code = 0; code < kDirectChars; ++code) {
      text.clear();
      append_utf8(text, static_cast<char32_t>(code));
      direct.push_back(model_id(image, text));
    }
  }
  std::unique_ptr<WordEncoder> encoder() const override;

  int32_t id_of_char(std::string_view text, char32_t code) const {
    return code < kDirectChars ? direct[code] : model_id(image, text);
  }

  const Image& image;
  ByteTokens bytes;
  int32_t unknown = kNoId;
  bool fuse_unknown = false;
  bool byte_fallback = false;
  bool ignore_merges = false;
  std::string continuing_prefix;  // of every character but the first ("##")
  std::string word_suffix;        // of the last character ("</w>")
  std::vector<int32_t> direct;    // id by character
};

// O(n log n) in the length of a word.
class BpeEncoder : public WordEncoder {
 public:
  explicit BpeEncoder(const Bpe& model) : model_(model) {}

  void encode(std::string_view word, std::vector<int32_t>& ids) override {
    if (model_.ignore_merges) {
      if (const int32_t whole = model_id(model_.image, word); whole != kNoId) return ids.push_back(whole);
    }
    start_ids_.clear();
    append_characters(word);
    merge_all();
    for (const Symbol& symbol : symbols_) {
      if (!symbol.joined) ids.push_back(symbol.id);
    }
  }

 private:
  struct Symbol {
    int32_t id;
    uint32_t previous;
    uint32_t next;
    const Merge* merge;   // of this symbol and the next one; null if there is none
    bool joined = false;  // already part of the symbol before it
  };

  // As Hugging Face does it, an unknown is held back until a known character comes; bytes overtake it.
  void append_characters(std::string_view word) {
    bool pending_unknown = false;
    const auto flush_unknown = [&] {
      if (pending_unknown) start_ids_.push_back(model_.unknown);
      pending_unknown = false;
    };
    for (size_t i = 0; i < word.size();) {
      const Utf8Char c = first_char(word.substr(i));
      const std::string_view text = with_marks(word, i, c.length);
      i += c.length;
      const int32_t id =
          text.size() == c.length ? model_.id_of_char(text, c.code) : model_id(model_.image, text);
      if (id != kNoId) {
        flush_unknown();
        start_ids_.push_back(id);
      } else if (model_.byte_fallback && model_.bytes.append(text, start_ids_)) {
        continue;
      } else if (model_.unknown != kNoId) {
        if (!model_.fuse_unknown) flush_unknown();
        pending_unknown = true;
      }
    }
    flush_unknown();
  }

  // The character at `begin` as the vocabulary writes it at this place of a word.
  std::string_view with_marks(std::string_view word, size_t begin, size_t length) {
    const bool prefixed = begin > 0 && !model_.continuing_prefix.empty();
    const bool suffixed = begin + length == word.size() && !model_.word_suffix.empty();
    const std::string_view text = word.substr(begin, length);
    if (!prefixed && !suffixed) return text;
    marked_ = prefixed ? model_.continuing_prefix : "";
    marked_ += text;
    if (suffixed) marked_ += model_.word_suffix;
    return marked_;
  }

  void find_merge(uint32_t at) {
    Symbol& symbol = symbols_[at];
    symbol.merge =
        symbol.next == kEnd ? nullptr : model_.image.find_merge(symbol.id, symbols_[symbol.next].id);
  }

  void merge_all() {
    auto& symbols = symbols_;
    auto& queue = queue_;
    const auto key = [&](uint32_t at) { return static_cast<uint64_t>(symbols[at].merge->rank) << 32 | at; };
    const auto count = static_cast<uint32_t>(start_ids_.size());
    symbols.clear();
    queue.clear();
    for (uint32_t at = 0; at < count; ++at)
      symbols.push_back({start_ids_[at], at == 0 ? kEnd : at - 1, at + 1 == count ? kEnd : at + 1, nullptr});
    for (uint32_t at = 0; at < count; ++at) {
      find_merge(at);
      if (symbols[at].merge != nullptr) queue.push_back(key(at));
    }
    std::make_heap(queue.begin(), queue.end(), std::greater<>());
    const auto update = [&](uint32_t at) {
      find_merge(at);
      if (symbols[at].merge == nullptr) return;
      queue.push_back(key(at));
      std::push_heap(queue.begin(), queue.end(), std::greater<>());
    };
    while (!queue.empty()) {
      std::pop_heap(queue.begin(), queue.end(), std::greater<>());
      const uint64_t top = queue.back();
      queue.pop_back();
      const auto at = static_cast<uint32_t>(top);
      auto& symbol = symbols[at];
      // An entry outlives its pair when either half was joined to another symbol.
      if (symbol.joined || symbol.merge == nullptr || key(at) != top) continue;
      auto& right = symbols[symbol.next];
      symbol.id = static_cast<int32_t>(symbol.merge->id);
      right.joined = true;
      symbol.next = right.next;
      if (symbol.next != kEnd) symbols[symbol.next].previous = at;
      if (symbol.previous != kEnd) update(symbol.previous);
      update(at);
    }
  }

  const Bpe& model_;
  std::string marked_;
  std::vector<int32_t> start_ids_;
  std::vector<Symbol> symbols_;
  std::vector<uint64_t> queue_;  // rank << 32 | position: smallest first means lowest rank, then leftmost
};

std::unique_ptr<WordEncoder> Bpe::encoder() const { return std::make_unique<BpeEncoder>(*this); }

}  // namespace

std::unique_ptr<WordModel> make_bpe(const Image& image, const Fields& spec) {
  return std::make_unique<Bpe>(image, spec);
}

}  // namespace lmc::tokenizer
