// BPE as SentencePiece does it: of all neighbours that joined are a piece, the pair whose piece has the
// highest score. There are no merges: any two parts of a piece make it. Pieces marked unused are taken apart
// again.
#include <algorithm>
#include <unordered_map>

#include "models/text/utf8.h"
#include "models/tokenizer/model_tokens.h"
#include "models/tokenizer/word_model.h"

namespace lmc::tokenizer {
namespace {

constexpr uint32_t kEnd = UINT32_MAX;

class SentencePieceBpe : public WordModel {
 public:
  SentencePieceBpe(const Image& image, const Fields& spec) : image(image), bytes(image) {
    if (image.scores().empty()) spec.fail("the vocabulary has no scores");
    byte_fallback = spec.flag_or("byte_fallback", false);
    unknown = unknown_id(image, spec);
    if (unknown == kNoId) spec.fail("'unk_token' is missing");
    for (int32_t id = 0; id < image.ids(); ++id) longest = std::max(longest, image.text(id).size());
  }
  std::unique_ptr<WordEncoder> encoder() const override;

  const Image& image;
  ByteTokens bytes;
  bool byte_fallback = false;
  int32_t unknown = kNoId;
  size_t longest = 0;  // piece, in bytes
};

class SentencePieceBpeEncoder : public WordEncoder {
 public:
  explicit SentencePieceBpeEncoder(const SentencePieceBpe& model) : model_(model) {}

  void encode(std::string_view word, std::vector<int32_t>& ids) override {
    word_ = word;
    cut_into_characters();
    while (!queue_.empty()) join(pop());
    bool after_unknown = false;
    for (uint32_t at = 0; at != kEnd; at = symbols_[at].next) append(text_of(at), after_unknown, ids);
  }

 private:
  struct Symbol {
    uint32_t begin;
    uint32_t length;  // 0: part of the symbol before it
    uint32_t previous;
    uint32_t next;
  };
  struct Candidate {
    double score;
    uint32_t left;
    uint32_t right;
    uint32_t length;  // of the joined text; if the symbols no longer add up to it, one of them has grown
    bool operator<(const Candidate& other) const {
      return score != other.score ? score < other.score : left > other.left;
    }
  };

  std::string_view text_of(uint32_t at) const {
    return word_.substr(symbols_[at].begin, symbols_[at].length);
  }

  void cut_into_characters() {
    symbols_.clear();
    queue_.clear();
    halves_.clear();
    for (size_t i = 0; i < word_.size();) {
      const uint32_t length = first_char(word_.substr(i)).length;
      const auto at = static_cast<uint32_t>(symbols_.size());
      symbols_.push_back({static_cast<uint32_t>(i), length, at == 0 ? kEnd : at - 1, at + 1});
      i += length;
    }
    symbols_.back().next = kEnd;
    for (uint32_t at = 0; at + 1 < symbols_.size(); ++at) propose(at, at + 1);
  }

  void propose(uint32_t left, uint32_t right) {
    if (left == kEnd || right == kEnd) return;
    const uint32_t length = symbols_[left].length + symbols_[right].length;
    if (length > model_.longest) return;
    const std::string_view joined = word_.substr(symbols_[left].begin, length);
    const int32_t id = model_id(model_.image, joined);
    if (id == kNoId) return;
    queue_.push_back({model_.image.scores()[static_cast<size_t>(id)], left, right, length});
    std::push_heap(queue_.begin(), queue_.end());
    if (model_.image.flags(id) & kUnused) halves_[joined] = symbols_[left].length;
  }

  Candidate pop() {
    std::pop_heap(queue_.begin(), queue_.end());
    const Candidate top = queue_.back();
    queue_.pop_back();
    return top;
  }

  void join(const Candidate& candidate) {
    Symbol& left = symbols_[candidate.left];
    Symbol& right = symbols_[candidate.right];
    if (left.length == 0 || right.length == 0 || left.length + right.length != candidate.length) return;
    left.length += right.length;
    right.length = 0;
    left.next = right.next;
    if (left.next != kEnd) symbols_[left.next].previous = candidate.left;
    propose(left.previous, candidate.left);
    propose(candidate.left, left.next);
  }

  // `after_unknown`: a run of unknown pieces is one token.
  void append(std::string_view text, bool& after_unknown, std::vector<int32_t>& ids) const {
    const int32_t id = model_id(model_.image, text);
    if (id != kNoId && (model_.image.flags(id) & kUnused)) {
      if (const auto half = halves_.find(text); half != halves_.end()) {
        append(text.substr(0, half->second), after_unknown, ids);
        return append(text.substr(half->second), after_unknown, ids);
      }
    }
    if (id == kNoId && model_.byte_fallback && model_.bytes.append(text, ids)) {
      after_unknown = true;
      return;
    }
    if (id == kNoId && after_unknown) return;
    after_unknown = id == kNoId;
    ids.push_back(after_unknown ? model_.unknown : id);
  }

  const SentencePieceBpe& model_;
  std::string_view word_;
  std::vector<Symbol> symbols_;
  std::vector<Candidate> queue_;                           // a heap, the best first
  std::unordered_map<std::string_view, uint32_t> halves_;  // of unused pieces: the length of the left one
};

std::unique_ptr<WordEncoder> SentencePieceBpe::encoder() const {
  return std::make_unique<SentencePieceBpeEncoder>(*this);
}

}  // namespace

std::unique_ptr<WordModel> make_sentencepiece_bpe(const Image& image, const Fields& spec) {
  return std::make_unique<SentencePieceBpe>(image, spec);
}

}  // namespace lmc::tokenizer
