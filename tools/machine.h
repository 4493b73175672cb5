// This machine's figures (ir/machine.h): measured once for a number of threads, then read from the cache
// folder.
#pragma once

#include <string>

#include "ir/machine.h"

namespace lmc {

// From the file that an earlier call on this CPU has left in the cache folder (machine-2t.json for two
// threads). If there is none that can be used, or it was written while others kept the machine much busier
// than now, measured, which takes a fraction of a second, and left there where that is possible.
MachineFigures machine_figures(int threads);

// Measured anew, and left there.
MachineFigures measure_machine(int threads);

// The file, or "" where there is no cache folder.
std::string machine_file(int threads);

struct KeptFigures {
  MachineFigures figures;
  std::string cpu;  // cpu_name() of where they were measured
  double load = 0;  // processes that wanted to run then, the average of a minute
};
// The file's content and back. Error for what is no such file and for figures that are no positive numbers.
std::string machine_to_json(const KeptFigures& kept);
KeptFigures machine_from_json(const std::string& text);

// As /proc/cpuinfo has it, or "unknown".
std::string cpu_name();

}  // namespace lmc
