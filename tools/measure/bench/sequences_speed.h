// How fast several sequences are decoded together: a token of each in every step, which reads the weights
// once.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/session.h"

namespace lmc {

class SequencesTimer {
 public:
  // `count` sequences, 1 … session.most_sequences(), each with a KV cache of its own of `depth` positions;
  // the session must outlive it.
  SequencesTimer(Session& session, int64_t count, int64_t depth);

  // Seconds of each of up to `steps` steps from there, as far as the context goes: a token of every sequence
  // is fed and its next one chosen, the likeliest. Throws Interrupted.
  std::vector<double> time(int64_t steps);

 private:
  Session& session_;
  std::optional<Sequence> beginning_;  // where all of them start
  std::vector<std::unique_ptr<Sequence>> sequences_;
};

}  // namespace lmc
