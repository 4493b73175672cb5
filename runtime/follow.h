// Rank 0 decides what is run; the others are told, step by step.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "ir/plan.h"
#include "runtime/collective.h"
#include "runtime/step_inputs.h"

namespace lmc {

// On rank 0: what the others are to run with it. `likeliest`: a step of one row that only asks for its
// likeliest token.
void announce(Collective& collective, std::span<const StepRow> rows, bool likeliest);
void announce_end(Collective& collective);  // there will be no more

// On the other ranks: their own caches of the sequences that rank 0 has.
class Follower {
 public:
  Follower(const Plan& plan, Collective& collective) : plan_(plan), collective_(collective) {}

  // The rows of the next step; valid until the next call. Empty at the end. Error for rows that no step of
  // this plan takes: then rank 0 runs something else.
  std::span<const StepRow> next();
  bool likeliest() const { return likeliest_; }  // is all that the step asks for

 private:
  Sequence& sequence(int32_t number);

  const Plan& plan_;
  Collective& collective_;
  std::vector<std::unique_ptr<Sequence>> sequences_;  // by number
  std::vector<std::byte> message_;
  std::vector<StepRow> rows_;
  bool likeliest_ = false;
};

}  // namespace lmc
