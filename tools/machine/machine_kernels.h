// The part of a machine's figures (ir/machine.h) that is told by running kernels: what this compiler's code
// gets out of memory, caches and arithmetic, which is less than what the hardware allows.
#pragma once

#include "ir/machine.h"

namespace lmc {

// Fills in all but launch and step_start, for figures.threads threads. Compiles two small graphs for this
// CPU, or finds their code in the object cache, and runs them; a second or two.
void measure_kernels(MachineFigures& figures);

}  // namespace lmc
