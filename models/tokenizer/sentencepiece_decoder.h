// Pieces to text as SentencePiece does it.
#pragma once

#include "models/tokenizer/decoder.h"

namespace lmc::tokenizer {

// {"type": "SentencePiece", "unk_token": text, "unk_surface": text, "strips_first": flag, "strips_all": flag}
DecoderPlan::MakeStage make_sentencepiece_decoder(const Fields& spec);

}  // namespace lmc::tokenizer
