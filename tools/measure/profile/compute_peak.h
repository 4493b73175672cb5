// How fast this machine multiplies: the ceilings of kernels that memory does not hold back.
#pragma once

#include <algorithm>
#include <string>

namespace lmc {

struct ComputePeak {
  // Multiply-adds of int8 per second, all threads together: by vectors, and by a matrix unit (0: none).
  double int8_macs = 0, unit_macs = 0;
  double f32_flops = 0;  // operations per second; a fused multiply-add counts as two

  double most_macs() const { return std::max(int8_macs, unit_macs); }
};

// By the target's own instructions (codegen/arithmetic_loops.h); this CPU must have them. The best of some
// slices of 50 ms each.
ComputePeak measure_compute_peak(int threads, const std::string& target);

ComputePeak better_of(const ComputePeak& a, const ComputePeak& b);

}  // namespace lmc
