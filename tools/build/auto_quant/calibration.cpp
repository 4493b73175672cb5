#include "tools/build/auto_quant/calibration.h"

#include <algorithm>
#include <cmath>

#include "models/tokenizer/tokenizer.h"
#include "runtime/sampler.h"
#include "tools/cli/console.h"
#include "tools/system/files.h"

namespace lmc {
namespace {

int32_t first_token(const Model& model) {
  if (!model.bos_ids.empty()) return model.bos_ids[0];
  return model.eos_ids.empty() ? 0 : model.eos_ids[0];
}

}  // namespace

Sequences sequences_of_text(const std::string& file, const std::string& tokenizer, const Model& model,
                            const TextPieces& as) {
  if (tokenizer.empty())
    throw Error("--calibrate " + file + ": the checkpoint has no tokenizer; name one with --tokenizer");
  const std::vector<int32_t> tokens = Tokenizer::open(tokenizer).encode(read_input(file), false);
  if (tokens.empty()) throw Error(file + ": holds no tokens");
  const auto piece = static_cast<size_t>(std::clamp<int64_t>(model.context - 1, 1, as.tokens - 1));
  Sequences out;
  for (size_t at = 0; at < tokens.size() && out.size() < as.pieces; at += piece) {
    auto& sequence = out.emplace_back(1, first_token(model));
    const auto begin = tokens.begin() + static_cast<ptrdiff_t>(at);
    sequence.insert(sequence.end(), begin,
                    begin + static_cast<ptrdiff_t>(std::min(piece, tokens.size() - at)));
  }
  return out;
}

Sequences sampled_sequences(Session& session, const Model& model) {
  SamplerOptions options{.temperature = 1};
  for (const int32_t id : model.eos_ids) options.logit_bias[id] = -INFINITY;
  const auto length = static_cast<size_t>(std::min(session.context(), kPredictedText.tokens));
  Sequences out;
  Progress progress("sampling a text");
  for (size_t s = 0; s < kPredictedText.pieces; ++s) {
    options.seed = s;
    Sampler sampler(options);
    std::vector<int32_t>& sequence = out.emplace_back(1, first_token(model));
    session.reset();
    while (sequence.size() < length) {
      const auto logits = session.step(std::span(sequence).last(1));
      stop_if_interrupted();
      sequence.push_back(sampler.sample(logits));
      progress.update(static_cast<int64_t>(s * length + sequence.size()),
                      static_cast<int64_t>(kPredictedText.pieces * length));
    }
  }
  session.reset();
  return out;
}

}  // namespace lmc
