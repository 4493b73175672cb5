// How far a model's predictions are from those it makes without quantisation.
#pragma once

#include <cstddef>
#include <vector>

#include "runtime/session.h"
#include "tools/build/auto_quant/calibration.h"

namespace lmc {

class ReferencePredictions {
 public:
  // Feeds the sequences and keeps all logits.
  ReferencePredictions(Session& unquantised, Sequences sequences);

  // The mean over the positions of the first `sequences` sequences of KL(reference ‖ model), in nats. Error
  // if logits are no distribution.
  double kl(Session& model, size_t sequences) const;
  double kl(Session& model) const { return kl(model, sequences_.size()); }

  size_t tokens() const;  // of all sequences

 private:
  Sequences sequences_;
  std::vector<std::vector<float>> logits_;  // of each sequence, [tokens, vocabulary]
  std::vector<std::vector<double>> sums_;   // log_sum() of each row
};

}  // namespace lmc
