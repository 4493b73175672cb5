// What a machine can do, as plain data: what the cost model (ir/cost.h) puts times to work by. Measured once
// by running kernels (tools/machine/machine.h), or read from the file that LMC_MACHINE names. The values here
// are those of a virtual machine of 2 cores with AVX-512, for tests.
#pragma once

#include <array>
#include <cstddef>

namespace lmc {

struct MachineFigures {
  int threads = 2;  // that `read_all`, `launch` and `step_start` were measured with

  // Bytes of weights a second, as linears of one token read them from memory.
  double read_one = 14e9;  // by one core
  double read_all = 25e9;  // by all threads together
  // What part of a step's weights comes from memory, not from caches that have kept it since the step before:
  // of as many bytes of them as weights_of_part() says.
  std::array<double, 17> from_memory{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.5, 1, 1, 1, 1, 1};

  // Operations a second of one core in kernels whose weights are in the caches; a multiply-add is two.
  double f32_one = 32e9;      // linear of one token, f32 or bf16 weights
  double f32_block = 75e9;    // … of a block of tokens
  double int8_one = 100e9;    // quantised weights
  double int8_block = 230e9;  // …
  double attend = 45e9;       // attention, with its softmax
  double row = 12e9;          // elementwise and row ops
  double exp = 1e9;           // exponentials, tanh and the like, each of them one

  double buffers = 15e9;  // bytes of the step's buffers a second that one core reads and writes

  // The level of the cache, 1 or 2, that kernels had better ask weights into ahead of their use; 0: the
  // first, and for a row or two none, as the CPU's own prefetching does better.
  int prefetch = 1;

  // Seconds.
  double call = 5e-8;        // of a tile, beside its work
  double cold = 4e-6;        // of a stage whose code and small operands the weights drove out of the caches
  double launch = 1.5e-6;    // of a stage where several threads share the step
  double step_start = 1e-5;  // until all threads are at work on a step
};

// Those that MachineFigures::from_memory[i] is about: 2^20, 2^20.5, … 2^28 bytes.
double weights_of_part(size_t i);

// By `machine.from_memory`, between whose sizes it changes with the logarithm; 0 to 1.
double part_from_memory(double weight_bytes, const MachineFigures& machine);

}  // namespace lmc
