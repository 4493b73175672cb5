// `lmc bench --ab A B`: is B faster than A? Both in one process, in turn, since a machine's speed drifts by
// more than most changes are worth.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "codegen/codegen.h"

namespace lmc {

struct AbOptions {
  std::array<std::string, 2> sides;  // bundles, or flags of lmc compile
  std::string model;                 // a model file if they are flags
  int64_t prompt = 128, tokens = 32, depth = 0;
  int threads = 0;
  int rounds = 10;
  bool json = false;
  LoadOptions load;
};

void run_ab(const AbOptions& options);

}  // namespace lmc
