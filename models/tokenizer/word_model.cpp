// The types of models by name.
#include "models/tokenizer/word_model.h"

namespace lmc::tokenizer {

std::unique_ptr<WordModel> make_word_model(const Image& image, const Fields& spec) {
  const std::string type = spec.text_or("type", image.trie().empty() ? "BPE" : "Unigram");
  if (type == "BPE") return make_bpe(image, spec);
  if (type == "SentencePieceBPE") return make_sentencepiece_bpe(image, spec);
  if (type == "Unigram") return make_unigram(image, spec);
  if (type == "WordPiece") return make_wordpiece(image, spec);
  if (type == "WordLevel") return make_wordlevel(image, spec);
  spec.fail_unknown("model type", type);
}

}  // namespace lmc::tokenizer
