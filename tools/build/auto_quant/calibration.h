// What a model is asked to predict while formats are chosen for it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/load/model.h"
#include "runtime/session.h"

namespace lmc {

using Sequences = std::vector<std::vector<int32_t>>;

// So many sequences of so many tokens at most.
struct TextPieces {
  size_t pieces;
  int64_t tokens;
};
inline constexpr TextPieces kPredictedText{.pieces = 4, .tokens = 64};

// The beginning of a text, cut into sequences, each with the bos token in front. Error for a text too short
// for one token.
Sequences sequences_of_text(const std::string& file, const std::string& tokenizer, const Model& model,
                            const TextPieces& as);

// Without a text: what the model itself writes, drawn at temperature 1 with seeds 0, 1, …, from the bos token
// on. Its own words are spread over what it knows as its probabilities are, and need neither tokenizer nor
// file.
Sequences sampled_sequences(Session& session, const Model& model);

}  // namespace lmc
