// How fast this machine multiplies: the ceilings of kernels that memory does not hold back.
#pragma once

#include <string>

namespace lmc {

struct ComputePeak {
  double int8_macs = 0;  // multiply-adds per second, all threads together
  double f32_flops = 0;  // operations per second; a fused multiply-add counts as two
};

// Loops over operands in the first-level cache, with the instructions of the target: vpdpbusd on AVX-512,
// else vpsignb, vpmaddubsw and vpmaddwd, exact as the kernels must be; fma for f32. The best of some slices
// of 50 ms each.
ComputePeak measure_compute_peak(int threads, const std::string& target);

}  // namespace lmc
