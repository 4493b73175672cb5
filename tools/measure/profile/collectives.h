// What ranks sent each other in decode steps, how long that took, and how much of it was waiting for a rank
// that was not there yet. Watches the steps of every rank.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/collective.h"
#include "runtime/profile.h"

namespace lmc {

// The collectives of one part of the model, per step, on this rank.
struct CollectiveKind {
  std::string part;  // "attention", "ffn", "Embedding", …
  double calls = 0;
  double sent = 0, got = 0;  // bytes
  double seconds = 0;        // from the kernel's begin until all is there
  double waiting = 0;        // of them: beyond the least that any rank spent in the same call
};

class CollectiveTimes {
 public:
  // The step that has just run. Only those of one token count, the first of them not.
  void operator()(const StepPlan& plan, const StepInfo& step, const Profile& times);

  // On all ranks, when all have run the same steps: largest first.
  std::vector<CollectiveKind> kinds(const Plan& plan, Collective& collective) const;

 private:
  std::vector<double> seconds_;  // by step, then collective
  int64_t steps_ = 0;
};

}  // namespace lmc
