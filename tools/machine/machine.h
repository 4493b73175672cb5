// This machine's figures (ir/machine.h): measured once for a number of threads, then read from the cache
// folder. LMC_MACHINE names a file of figures to go by instead, wherever it was measured: for costs that are
// the same everywhere, and those of another machine.
#pragma once

#include <optional>
#include <string>

#include "ir/machine.h"
#include "tools/machine/figures_json.h"

namespace lmc {

// What LMC_MACHINE names, or what is kept, or else measured, which takes 3 to 12 seconds and is said, and
// kept where that is possible. Error if LMC_MACHINE names no file of figures.
MachineFigures machine_figures(int threads);

// What LMC_MACHINE names; nothing if it is not set.
std::optional<MachineFigures> given_machine();

// From the file that an earlier measurement has left in the cache folder (machine-2t.json for two threads):
// nothing if there is none that can be read, it was of another CPU, or others kept the machine much busier
// than now when it was written.
std::optional<MachineFigures> kept_machine(int threads);

// Measured anew, and left there.
MachineFigures measure_machine(int threads);

// The file in the cache folder, or "" where there is none.
std::string machine_file(int threads);

// As /proc/cpuinfo has it, or "unknown".
std::string cpu_name();

}  // namespace lmc
