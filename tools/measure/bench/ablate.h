// `lmc bench --ablate MODEL`: what each pass of the default pipeline is worth. The model is compiled once as
// it is and once without each pass that does anything to it; every pair is measured in turn.
#pragma once

#include <string>

#include "tools/measure/bench/ab_rates.h"

namespace lmc {

struct AblateOptions {
  std::string model, flags;  // as for `lmc compile MODEL FLAGS`
  AbPlan plan;
  bool json = false;
};

void run_ablate(const AblateOptions& options);

}  // namespace lmc
