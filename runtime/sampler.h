// From logits to a token: greedy, or drawn at random from the likeliest.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "ir/kernel_abi.h"
#include "runtime/random.h"
#include "runtime/some_logits.h"
#include "runtime/token_counts.h"

namespace lmc {

// Applied in llama.cpp's order: logit bias, penalties, top_k, then top_p and min_p on the probabilities of
// what is left, then the temperature. So the temperature does not change which tokens may be
// drawn, only how evenly. (Hugging Face divides by the temperature before top_k, top_p and min_p.)
struct SamplerOptions {
  double temperature = 0;  // 0: greedy, after bias and penalties
  int64_t top_k = 0;       // keep the k likeliest; 0: all
  double top_p = 1;        // keep the fewest likeliest whose probabilities reach p (at least one); 1: all
  double min_p = 0;        // keep what is at least min_p times as probable as the likeliest; 0: all
  double repetition_penalty =
      1;  // divides positive logits of earlier tokens, multiplies negative ones; 1: none
  // Subtracted from the logit of a token that came before: presence_penalty, and frequency_penalty as often
  // as it came; negative ones make it likelier. OpenAI's formula (API reference, "Parameter details"): mu[j]
  // -= c[j] * frequency + float(c[j] > 0) * presence, behind the repetition penalty as in llama.cpp
  // (llama_sampler_init_penalties).
  double presence_penalty = 0, frequency_penalty = 0;
  // How many tokens back all three look, the prompt's included; 0: the whole sequence, -1: no token.
  int64_t repetition_window = 64;
  // The latter two count in that window, as llama.cpp does, or the tokens of the answer alone, all of them,
  // as OpenAI does ("how often that token was sampled prior to the current position").
  bool counts_answer_alone = false;
  std::map<int32_t, double> logit_bias = {};  // added to a token's logit; -inf: never this token
  uint64_t seed = 0;  // the same seed, options and logits give the same tokens on every machine
};

class Sampler {
 public:
  // Throws Error for an option out of its range.
  explicit Sampler(const SamplerOptions& options);

  // Is it always the likeliest token, whatever came before?
  bool only_greedy() const;

  // May it be another than the likeliest?
  bool draws() const { return options_.temperature != 0 && options_.top_k != 1; }
  // Was this token given a bias of -inf?
  bool forbids(int32_t id) const;
  // A token that was not sampled: takes the random number that its draw would have taken.
  void pass() {
    if (draws()) random_.uniform();
  }

  // From here on both draw alike.
  void follow(const Sampler& other) { random_ = other.random_; }

  // Throws Error where the logit bias names a token beyond the vocabulary.
  void check_vocab(int64_t vocab) const;

  // The token after `sequence`, at which only penalties look; its last `made` tokens are the answer's. Throws
  // Error if the logits are no distribution: a NaN, +inf, or all -inf. Among equals the lowest id is first.
  // Takes one random number, or none where there is nothing to choose, whatever was sampled before.
  int32_t sample(std::span<const float> logits, std::span<const int32_t> sequence = {}, size_t made = 0);

  // What is to be known of logits that lie elsewhere, behind the same sequence.
  LogitRequest request(int64_t vocab, std::span<const int32_t> sequence = {}, size_t made = 0);
  // Is a draw among all ids in it, which takes a second question?
  bool draws_from_all(int64_t vocab) const {
    return draws() && kept_of(vocab) == 0 && options_.top_p == 1 && options_.min_p == 0;
  }
  // The token that sample() finds in all logits, or nothing, and then nothing has happened, where `some` do
  // not tell it for certain: sums of parts are rounded in another order. `where`: the id that a draw falls
  // on, of those on one rank; below 0 where it does not know.
  using FindDraw = std::function<int32_t(LogitDraw)>;
  std::optional<int32_t> sample(const SomeLogits& some, const FindDraw& where,
                                std::span<const int32_t> sequence = {}, size_t made = 0);

 private:
  struct Candidate {
    float logit;
    int32_t id;
    double weight = 0;  // a probability, not normalised
  };
  static bool likelier(const Candidate& a, const Candidate& b);
  bool penalises() const;
  std::span<const int32_t> recent(std::span<const int32_t> sequence) const;
  using Logit = std::function<float&(int32_t id)>;
  void change(const Logit& logit, std::span<const int32_t> sequence, size_t made);
  std::span<const float> adjust(std::span<const float> logits, std::span<const int32_t> sequence,
                                size_t made);
  void divide(const Logit& logit, std::span<const int32_t> tokens);
  void subtract(const Logit& logit, std::span<const int32_t> tokens);
  int32_t draw(std::span<const float> logits, double top);
  int32_t draw_candidate(double top);
  int64_t kept_of(int64_t vocab) const;  // top_k, 0: all
  bool take_likeliest(const SomeLogits& some, double top);
  bool take_known_top_k(const SomeLogits& some, int64_t k);
  bool take_known_top_p(const SomeLogits& some, double top);
  std::optional<int32_t> draw_from_all(const SomeLogits& some, std::span<const KnownLogit> known,
                                       const FindDraw& where, double top);
  void take_top_k(std::span<const float> logits);
  void keep_top_p(double top);
  void keep_min_p(double top);

  SamplerOptions options_;
  Random random_;
  std::vector<Candidate> candidates_;  // kept to avoid allocation, as are:
  std::vector<float> adjusted_;
  TokenCounts counts_;
};

// The likeliest token; the lowest id among equals. Throws as Sampler::sample.
int32_t greedy(std::span<const float> logits);
// The same, from the largest logit of each tile.
int32_t greedy(std::span<const TileArgmax> tiles);

}  // namespace lmc
