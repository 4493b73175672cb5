// Unigram: of all ways to write a word as tokens, the likeliest (Viterbi's algorithm over the bytes of the
// word).
#include <algorithm>
#include <limits>

#include "ir/error.h"
#include "models/text/utf8.h"
#include "models/tokenizer/model_tokens.h"
#include "models/tokenizer/word_model.h"

namespace lmc::tokenizer {
namespace {

constexpr double kUnknownPenalty = 10.0;  // SentencePiece's: below the least likely token

class Unigram : public WordModel {
 public:
  Unigram(const Image& image, const Fields& spec) : image_(image), bytes_(image) {
    byte_fallback_ = spec.flag_or("byte_fallback", false);
    single_precision_ = spec.flag_or("single_precision", false);
    if (image.scores().empty()) spec.fail("the vocabulary has no scores");
    if (spec.has("unk_id")) unknown_ = read_unknown(spec);
    double least = std::numeric_limits<double>::infinity();
    // Never below the smallest positive float, as in SentencePiece.
    double most = std::numeric_limits<float>::min();
    for (int32_t id = 0; id < image.ids(); ++id) {
      if (!(image.flags(id) & kInModel) || (image.flags(id) & (kUserDefined | kUnused))) continue;
      least = std::min(least, image.scores()[static_cast<size_t>(id)]);
      most = std::max(most, image.scores()[static_cast<size_t>(id)]);
    }
    unknown_score_ = rounded(least - kUnknownPenalty);
    most_ = most;
  }

  std::unique_ptr<WordEncoder> encoder() const override;

 private:
  friend class UnigramEncoder;

  int32_t read_unknown(const Fields& spec) const {
    const int64_t id = spec.integer("unk_id");
    if (id < 0 || id >= image_.ids())
      spec.fail("the unk_id " + std::to_string(id) + " is not in the vocabulary");
    return static_cast<int32_t>(id);
  }
  double score(int32_t id, size_t length) const {
    // What a user defined wins over every other way, and the longer one wins.
    if (image_.flags(id) & kUserDefined) return static_cast<double>(length) * most_ - 0.1;
    return image_.scores()[static_cast<size_t>(id)];
  }
  // SentencePiece adds up in single precision, which decides ties.
  double rounded(double sum) const { return single_precision_ ? static_cast<float>(sum) : sum; }

  const Image& image_;
  ByteTokens bytes_;
  bool byte_fallback_ = false;
  bool single_precision_ = false;
  int32_t unknown_ = kNoId;
  double unknown_score_ = 0;
  double most_ = 0;
};

class UnigramEncoder : public WordEncoder {
 public:
  explicit UnigramEncoder(const Unigram& model) : model_(model) {}

  void encode(std::string_view word, std::vector<int32_t>& ids) override {
    find_best(word);
    // The best way is known from its end; a run of unknown characters is one part.
    parts_.clear();
    for (size_t end = word.size(); end > 0;) {
      const auto [score, begin, id] = best_[end];
      if (!parts_.empty() && id == model_.unknown_ && parts_.back().id == id) {
        parts_.back().begin = begin;
      } else {
        parts_.push_back({begin, static_cast<uint32_t>(end), id});
      }
      end = begin;
    }
    for (auto part = parts_.rbegin(); part != parts_.rend(); ++part) {
      if (part->id == model_.unknown_) {
        append_unknown(word.substr(part->begin, part->end - part->begin), ids);
      } else {
        ids.push_back(part->id);
      }
    }
  }

 private:
  struct Best {  // the likeliest way to write the bytes before a place
    double score = 0;
    uint32_t begin = kUnreached;  // of its last token
    int32_t id = kNoId;
  };
  struct Part {
    uint32_t begin;
    uint32_t end;
    int32_t id;
  };
  static constexpr uint32_t kUnreached = UINT32_MAX;

  void find_best(std::string_view word) {
    best_.assign(word.size() + 1, {});
    for (size_t at = 0; at < word.size();) {
      const uint32_t char_length = first_char(word.substr(at)).length;
      bool char_is_token = false;
      for_each_prefix(model_.image_.trie(), word.substr(at), [&](size_t length, int32_t id) {
        offer(at, length, id, model_.score(id, length));
        char_is_token |= length == char_length;
      });
      if (!char_is_token) {
        if (model_.unknown_ == kNoId) fail_unknown(word.substr(at, char_length));
        offer(at, char_length, model_.unknown_, model_.unknown_score_);
      }
      at += char_length;
    }
  }
  void offer(size_t at, size_t length, int32_t id, double score) {
    Best& best = best_[at + length];
    const double sum = best_[at].score + score;
    if (best.begin != kUnreached && sum <= best.score) return;
    best = {model_.rounded(sum), static_cast<uint32_t>(at), id};
  }
  void append_unknown(std::string_view text, std::vector<int32_t>& ids) const {
    if (const int32_t whole = model_id(model_.image_, text); whole != kNoId) return ids.push_back(whole);
    if (model_.byte_fallback_ && model_.bytes_.append(text, ids)) return;
    ids.push_back(model_.unknown_);
  }
  [[noreturn]] static void fail_unknown(std::string_view character) {
    throw Error("cannot tokenize '" + std::string(character) +
                "': the tokenizer has no token for it and no unk_id");
  }

  const Unigram& model_;
  std::vector<Best> best_;  // by end
  std::vector<Part> parts_;
};

std::unique_ptr<WordEncoder> Unigram::encoder() const { return std::make_unique<UnigramEncoder>(*this); }

}  // namespace

std::unique_ptr<WordModel> make_unigram(const Image& image, const Fields& spec) {
  return std::make_unique<Unigram>(image, spec);
}

}  // namespace lmc::tokenizer
