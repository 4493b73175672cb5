// WordPiece: the longest token that begins the word, then the longest that continues it, and so on; a word
// that cannot be written so is unknown. WordLevel: every word is a token or unknown.
#include <algorithm>

#include "models/text/utf8.h"
#include "models/tokenizer/model_tokens.h"
#include "models/tokenizer/word_model.h"

namespace lmc::tokenizer {
namespace {

// A model whose words need no memory is its own encoder's table.
template <typename Model>
class PlainEncoder : public WordEncoder {
 public:
  explicit PlainEncoder(const Model& model) : model_(model) {}
  void encode(std::string_view word, std::vector<int32_t>& ids) override { model_.encode(word, ids); }

 private:
  const Model& model_;
};

int32_t required_unknown(const Image& image, const Fields& spec) {
  const int32_t id = unknown_id(image, spec);
  if (id == kNoId) spec.fail("'unk_token' is missing (expected a string)");
  return id;
}

class WordPiece : public WordModel {
 public:
  WordPiece(const Image& image, const Fields& spec)
      : image_(image),
        unknown_(required_unknown(image, spec)),
        mark_(spec.text_or("continuing_subword_prefix", "##")) {
    const int64_t most = spec.integer_or("max_input_chars_per_word", 100);
    if (most < 0) spec.fail("'max_input_chars_per_word' must not be negative");
    most_chars_ = static_cast<size_t>(most);
    for (int32_t id = 0; id < image.ids(); ++id) longest_ = std::max(longest_, image.text(id).size());
  }
  std::unique_ptr<WordEncoder> encoder() const override {
    return std::make_unique<PlainEncoder<WordPiece>>(*this);
  }

  void encode(std::string_view word, std::vector<int32_t>& ids) const {
    const size_t before = ids.size();
    if (count_chars(word) > most_chars_) return ids.push_back(unknown_);
    for (size_t at = 0; at < word.size();) {
      const auto [id, length] = longest_token(word.substr(at), at > 0);
      if (id == kNoId) {
        ids.resize(before);
        return ids.push_back(unknown_);
      }
      ids.push_back(id);
      at += length;
    }
  }

 private:
  static size_t count_chars(std::string_view text) {
    size_t count = 0;
    for (size_t i = 0; i < text.size(); i += first_char(text.substr(i)).length) ++count;
    return count;
  }
  // Without a character that was cut off at the end.
  static std::string_view whole_chars(std::string_view text) {
    size_t length = 0;
    for (Utf8Char c; length < text.size(); length += c.length) {
      c = first_char(text.substr(length));
      if (c.state == Utf8State::kTruncated) break;
    }
    return text.substr(0, length);
  }
  std::pair<int32_t, size_t> longest_token(std::string_view text, bool continues) const {
    if (text.size() > longest_) text = whole_chars(text.substr(0, longest_));
    std::string candidate = (continues ? mark_ : "") + std::string(text);
    for (size_t length = text.size(); length > 0; length -= last_char(text.substr(0, length)).length) {
      candidate.resize(candidate.size() - (text.size() - length));
      text = text.substr(0, length);
      if (const int32_t id = model_id(image_, candidate); id != kNoId) return {id, length};
    }
    return {kNoId, 0};
  }

  const Image& image_;
  int32_t unknown_;
  std::string mark_;
  size_t most_chars_ = 0;  // of a word
  size_t longest_ = 0;     // token, in bytes
};

class WordLevel : public WordModel {
 public:
  WordLevel(const Image& image, const Fields& spec)
      : image_(image), unknown_(required_unknown(image, spec)) {}
  std::unique_ptr<WordEncoder> encoder() const override {
    return std::make_unique<PlainEncoder<WordLevel>>(*this);
  }
  void encode(std::string_view word, std::vector<int32_t>& ids) const {
    const int32_t id = model_id(image_, word);
    ids.push_back(id != kNoId ? id : unknown_);
  }

 private:
  const Image& image_;
  int32_t unknown_;
};

}  // namespace

std::unique_ptr<WordModel> make_wordpiece(const Image& image, const Fields& spec) {
  return std::make_unique<WordPiece>(image, spec);
}

std::unique_ptr<WordModel> make_wordlevel(const Image& image, const Fields& spec) {
  return std::make_unique<WordLevel>(image, spec);
}

}  // namespace lmc::tokenizer
