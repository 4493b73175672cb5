// Everything a kernel's code depends on, as a value. Equal text, equal code: the layers of a model share
// their kernels this way, and since the emitters see nothing else, nothing can be left out of the text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/plan.h"

namespace lmc {

// Where the numbers of one operand of a launch lie. Rows of activations follow each other, `stride` bytes
// apart; weights and caches have no rows of tokens.
struct KernelOperand {
  Space space = Space::arena;
  std::string layout;    // "f32", "i32", "q8_0" (activations), of weights as their `pack` says, "kv"
  int64_t stride = 0;    // bytes
  PlanCache cache = {};  // Space::kv
};

struct KernelSpec {
  std::string family;
  Graph body;                           // of the group
  std::vector<KernelOperand> operands;  // of the launch
  std::vector<int> inputs, outputs;     // which of them the body's inputs and outputs are
  int64_t tokens = 1;                   // most tokens of a step
  int64_t tiles = 1;
  int64_t grain = 1;  // what a tile works on: tokens, groups of weight rows, …: for the family to say
  // The level of the cache that weights are asked into ahead of their use; 0: of a row or two not at all, the
  // CPU's own prefetching does better, of more the first.
  int64_t prefetch = 1;
  bool logits = false;  // its output is what is chosen from: StepInfo::argmax and ::allowed are for it
  bool timed = false;   // adds up its cycles in StepInfo::cycles

  bool single() const { return tokens == 1; }  // at most one token: no loop over tokens

  // The same without what no code depends on: names, roles, scopes, places in files.
  KernelSpec canonical() const;
  // Of a canonical spec.
  std::string text() const;
};

}  // namespace lmc
