// A model behind its lowering passes: what is compiled, and what a compiled kernel is compared with.
#pragma once

#include <cstdint>
#include <string>

#include "ir/graph.h"

namespace lmc {

struct Lowered {
  Graph model;    // behind all passes of the model: every weight that a step reads is the result of a `pack`
  Graph decode;   // the step of one token
  Graph prefill;  // the step of 1 … block tokens
  Graph hidden;   // the same with the last hidden states of the wanted rows for logits; no ops: not asked for
  Graph draft;    // as `decode`, but guesses, from fewer bytes of the weights; no ops: not asked for
  int64_t block = 1;
  std::string target;  // that it was lowered for, by name, or "native"
  // At the top of the steps there are ops on weights alone, which ran when compiling and are those of
  // `model`, and groups, each of them one kernel (attribute `kernel`: its family).
};

}  // namespace lmc
