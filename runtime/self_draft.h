// How many tokens to guess by the model's own step of fewer bytes (Plan::draft), one after the other, before
// one step verifies them all: by how often such guesses were right, and by what both kinds of steps took.
#pragma once

#include <cstddef>

#include "runtime/step_costs.h"

namespace lmc {

class SelfDraft {
 public:
  // 0 … room tokens: those that make most of the time, by what `costs` says of steps of several rows.
  size_t length(const StepCosts& costs, size_t room) const;
  // So many guesses, 1 or more, took so long to make, and so many of them, from the first on, were right.
  void add(size_t guesses, size_t right, double seconds);
  // A step was made without any.
  void pass() { ++passed_; }

 private:
  // Before anything is known: as of trained models (codegen/PERFORMANCE.md, "a draft out of the high
  // nibbles"), of little weight.
  double right_ = 0.85 * 4, all_ = 4;  // guesses whose predecessors were right, of late
  double seconds_ = 0;                 // of a guess; 0: not known
  size_t passed_ = 0;                  // steps since the last one with guesses
};

}  // namespace lmc
