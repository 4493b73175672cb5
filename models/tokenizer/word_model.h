// The "model" of a tokenizer.json: a word to the ids of its tokens. One file per type of model.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "models/tokenizer/image.h"
#include "models/tokenizer/json_fields.h"

namespace lmc::tokenizer {

// Encodes the words of one text, with memory that it uses again from word to word.
class WordEncoder {
 public:
  virtual ~WordEncoder() = default;
  // Appends the ids of `word` (valid UTF-8, not empty).
  virtual void encode(std::string_view word, std::vector<int32_t>& ids) = 0;
};

class WordModel {
 public:
  virtual ~WordModel() = default;
  virtual std::unique_ptr<WordEncoder> encoder() const = 0;  // must not outlive the model
};

// `spec` holds the model's options (all but vocab and merges); `image` must outlive the model. Throws
// lmc::Error for a type or an option that is not supported.
std::unique_ptr<WordModel> make_word_model(const Image& image, const Fields& spec);

std::unique_ptr<WordModel> make_bpe(const Image& image, const Fields& spec);
std::unique_ptr<WordModel> make_sentencepiece_bpe(const Image& image, const Fields& spec);
std::unique_ptr<WordModel> make_unigram(const Image& image, const Fields& spec);
std::unique_ptr<WordModel> make_wordpiece(const Image& image, const Fields& spec);
std::unique_ptr<WordModel> make_wordlevel(const Image& image, const Fields& spec);

}  // namespace lmc::tokenizer
