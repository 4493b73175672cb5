#include "tools/generate/ranks.h"

#include <chrono>
#include <memory>
#include <thread>

#include "tools/cli/console.h"

#ifdef LMC_MPI
#include "runtime/mpi_ranks.h"
#endif

namespace lmc {
namespace {

std::unique_ptr<Collective>& ranks() {
  static std::unique_ptr<Collective> all;
  return all;
}

}  // namespace

#ifdef LMC_MPI

bool has_mpi() { return true; }

Collective* ranks_of_this_run(int threads) {
  if (!ranks()) {
    ranks() = mpi_ranks(threads);
    if (ranks() && ranks()->rank() > 0) silence_log();
  }
  return ranks().get();
}

void leave_ranks(int code) {
  if (code == 0) ranks().reset();
  leave_mpi(code);
}

#else

bool has_mpi() { return false; }
Collective* ranks_of_this_run(int) { return ranks().get(); }
void leave_ranks(int) {}

#endif

std::string rank_at_fault() {
  if (!ranks() || ranks()->rank() == 0) return "";
  std::this_thread::sleep_for(std::chrono::milliseconds(3'000));
  return "rank " + std::to_string(ranks()->rank()) + ": ";
}

}  // namespace lmc
