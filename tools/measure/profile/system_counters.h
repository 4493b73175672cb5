// What the system counts of this process: read before and after a step, they tell what kept its threads from
// working. Linux; what a system does not tell counts as zero.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/descriptor.h"

namespace lmc {

// Only differences mean anything. Seconds are those of all threads together.
struct SystemCounters {
  double on_core = 0;  // threads ran: to the nanosecond, and without stolen time where the kernel knows it
  double waited = 0;   // threads could have run and had no core: other threads were there
  double stolen = 0;   // a hypervisor ran something else than a CPU of ours; in ticks, 10 ms mostly
  int64_t minor_faults = 0, major_faults = 0;  // pages mapped; pages brought from the disk
  int64_t forced_switches = 0;                 // a thread lost its core

  SystemCounters operator-(const SystemCounters& before) const;
  SystemCounters operator+(const SystemCounters& more) const;
};

// Reads the counters of the threads there are when it is made; of one that ends meanwhile, what it had.
class CounterReader {
 public:
  CounterReader();
  SystemCounters read();
  // Does the kernel say how long threads wait for a core (/proc/self/task/*/schedstat)?
  bool knows_waits() const { return knows_waits_; }

 private:
  struct Thread {
    int id = 0;
    Descriptor schedstat;
    double on_core = 0, waited = 0;
  };
  std::vector<Thread> threads_;
  Descriptor stat_;
  bool knows_waits_ = false;
};

// Seconds that the first touch of a page takes, measured.
double page_fault_seconds();

// Seconds of a chain of multiplications that no memory and no other instruction has a part in, about 5 us:
// longer, if the core's clock is slower. A clock of several GHz counts time, not the core's cycles.
double clock_probe();

}  // namespace lmc
