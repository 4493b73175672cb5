// What a machine can do, as plain data: measured once (tools/machine.h) and used wherever the time of a stage
// is estimated. The values here are those of a small laptop, for where nothing was measured.
#pragma once

namespace lmc {

struct MachineFigures {
  int threads = 2;         // that `read_all`, `launch` and `step_start` were measured with
  double read_one = 15e9;  // bytes per second that one core reads from memory
  double read_all = 25e9;  // all threads together
  // Operations per second of one core in a linear, a multiply-add being two.
  double flops_one = 60e9;   // f32
  double int8_one = 90e9;    // int8 products, summed up
  double launch = 1.5e-6;    // seconds that a stage costs where several threads share it
  double step_start = 1e-5;  // seconds until all threads are at work on a step
};

}  // namespace lmc
