// The processes that run one model together, if mpirun has started this one with others.
#pragma once

#include <string>

#include "runtime/collective.h"

namespace lmc {

// Null for a process alone, and where lmc was built without MPI. Lives until leave_ranks(). Ranks other than
// 0 say nothing but errors from then on. `threads`: that this one computes with, 0: as by default.
Collective* ranks_of_this_run(int threads);

// In front of an error's message: "rank 1: ", or "" on rank 0 and where there are no ranks. What rank 0 fails
// at as well is said by that alone: it gets the time to.
std::string rank_at_fault();

// What main() ends with: all ranks end when one fails.
void leave_ranks(int code);

// Whether this lmc can run on several ranks, for messages.
bool has_mpi();

}  // namespace lmc
