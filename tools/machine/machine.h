// This machine's figures (ir/machine.h): measured once for a number of threads, then read from the cache
// folder. LMC_MACHINE names a file of figures to go by instead, wherever it was measured: for costs that are
// the same everywhere, and those of another machine.
#pragma once

#include <optional>
#include <string>

#include "ir/machine.h"
#include "tools/machine/figures_json.h"

namespace lmc {

// From the file that an earlier call on this CPU has left in the cache folder (machine-2t.json for two
// threads). If there is none that can be used, or it was written while others kept the machine much busier
// than now, measured, which takes a second or two and is said, and left there where that is possible. Error
// if LMC_MACHINE names no file of figures.
MachineFigures machine_figures(int threads);

// What LMC_MACHINE names; nothing if it is not set.
std::optional<MachineFigures> given_machine();

// Measured anew, and left there.
MachineFigures measure_machine(int threads);

// The file in the cache folder, or "" where there is none.
std::string machine_file(int threads);

// As /proc/cpuinfo has it, or "unknown".
std::string cpu_name();

}  // namespace lmc
