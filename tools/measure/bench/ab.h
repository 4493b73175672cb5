// `lmc bench --ab A B`: is B faster than A?
#pragma once

#include <array>
#include <string>

#include "tools/measure/bench/ab_rates.h"

namespace lmc {

struct AbOptions {
  std::array<std::string, 2> sides;  // bundles, or flags of lmc compile
  std::string model;                 // a model file if they are flags
  AbPlan plan;
  bool json = false;
};

void run_ab(const AbOptions& options);

}  // namespace lmc
