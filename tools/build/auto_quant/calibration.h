// What a model is asked to predict while formats are chosen for it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/load/model.h"
#include "runtime/session.h"

namespace lmc {

using Sequences = std::vector<std::vector<int32_t>>;

inline constexpr size_t kCalibrationSequences = 4;
inline constexpr int64_t kCalibrationTokens = 64;  // of each

// The beginning of a text, cut into sequences, each with the bos token in front. Error for a text too short
// for one token.
Sequences sequences_of_text(const std::string& file, const std::string& tokenizer, const Model& model);

// Without a text: what the model itself writes, drawn at temperature 1 with seeds 0, 1, …, from the bos token
// on. Its own words are spread over what it knows as its probabilities are, and need neither tokenizer nor
// file.
Sequences sampled_sequences(Session& session, const Model& model);

}  // namespace lmc
