// Reads a SentencePiece model (tokenizer.model, spiece.model): BPE and Unigram, byte pieces, pieces a user
// defined, and the normalizer it carries.
#pragma once

#include <string>
#include <string_view>

#include "models/tokenizer/source.h"

namespace lmc::tokenizer {

// Which of the model's bos and eos tokens special encoding puts around a text. The file itself does not say.
struct SentencePieceEnds {
  bool bos = true;
  bool eos = false;
};

// Throws lmc::Error naming `file` and the field that is wrong.
Source parse_sentencepiece_source(std::string_view bytes, const std::string& file, SentencePieceEnds ends);

}  // namespace lmc::tokenizer
