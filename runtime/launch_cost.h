// What handing out work to threads costs on this machine, measured.
#pragma once

#include "runtime/workers.h"

namespace lmc {

struct LaunchCost {
  double stage = 0;  // seconds that a stage of the flow graph takes longer than its tiles, shared by all
  double step_start =
      0;  // seconds until all threads are at work, a tenth of a millisecond after the last step
};

// Takes some milliseconds; more than one thread. On a busy machine it is what was free now and then.
LaunchCost measure_launch_cost(Workers& workers);

}  // namespace lmc
