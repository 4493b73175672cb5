// Ranks as processes, on one machine or many: what mpirun has started. Only where lmc is built with MPI.
#pragma once

#include <memory>

#include "runtime/collective.h"

namespace lmc {

// Null unless mpirun has started this process with others; asked for once. Says on standard error which rank
// is at fault, and ends all of them, when one has not answered for some seconds. `threads`: that this rank
// computes with, 0: as many as it would if nobody said. While there are cores for those of all ranks of a
// machine, whoever waits for another keeps its core.
std::unique_ptr<Collective> mpi_ranks(int threads);

// The last thing that a process does: with `code` other than 0, all ranks end with it.
void leave_mpi(int code);

}  // namespace lmc
