// What "native" means to lmc compile.
#pragma once

#include <string>

namespace lmc {

// The target that this CPU prefers; one with a matrix unit only where it is measured to read prompts faster
// than the next, since what the unit costs beside its products (its state, the clock) differs between CPUs
// and hypervisors. Measured once for a CPU, which takes a second or two and is said, and kept in the cache
// folder (native-target.json); not where LMC_MACHINE is set.
std::string native_target();

}  // namespace lmc
