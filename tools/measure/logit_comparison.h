// How far the predictions of one model, B, are from those of another, A, over the same tokens.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace lmc {

// Of logits, -ln of the probability that they give to a token, in nats.
double negative_log_likelihood(std::span<const float> logits, int32_t id);

// ln Σ exp of logits: what their logarithms of probabilities are less than they.
double log_sum(std::span<const float> logits);
// KL(A ‖ B) of the distributions behind two rows of logits with these log_sum()s, in nats; not a number if
// one is none.
double kl_divergence(std::span<const float> a, double sum_a, std::span<const float> b, double sum_b);

struct ComparedLogits {
  int64_t tokens = 0;
  double nll_a = 0, nll_b = 0;                 // means over the tokens, nats
  double kl_mean = 0, kl_p99 = 0, kl_max = 0;  // of KL(A ‖ B) at each position, nats
  double same_top = 0;                         // share of positions whose likeliest token is the same
  // Of ln p_B - ln p_A of the tokens: the mean, and how sure it is.
  double difference = 0, standard_error = 0;
};

class LogitComparison {
 public:
  // One position: what A and B predict, and the token that came. Error if the logits are no numbers.
  void add(std::span<const float> a, std::span<const float> b, int32_t came);
  ComparedLogits result() const;  // of at least one position

 private:
  std::vector<double> kl_, difference_;
  double nll_a_ = 0, nll_b_ = 0;
  int64_t same_top_ = 0;
};

}  // namespace lmc
