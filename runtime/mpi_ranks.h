// Ranks as processes, on one machine or many: what mpirun has started. Only where lmc is built with MPI.
#pragma once

#include <memory>

#include "runtime/collective.h"

namespace lmc {

// Null unless mpirun has started this process with others; asked for once. Says on standard error which rank
// is at fault, and ends all of them, when one has not answered for some seconds.
std::unique_ptr<Collective> mpi_ranks();

// The last thing that a process does: with `code` other than 0, all ranks end with it.
void leave_mpi(int code);

}  // namespace lmc
