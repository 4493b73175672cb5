// What `lmc profile --json` wrote, read again.
#pragma once

#include <string>
#include <vector>

#include "ir/machine.h"

namespace lmc {

struct MeasuredKernel {
  std::string label;
  double us_per_call = 0, gb_s = 0, share_of_read_peak = 0;
};
struct Measured {
  MachineFigures machine;               // of the run
  int64_t position = 0;                 // of its decode steps, on average
  std::string about;                    // "tiny.lmc, 2 threads, avx2"
  std::vector<MeasuredKernel> kernels;  // of decode steps
};
Measured read_profile(const std::string& path);  // Error naming file and field

}  // namespace lmc
