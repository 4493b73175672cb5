// A network that is farther away: every burst of messages begins so many microseconds later (LMC_DELAY_US).
// Loaded in front of MPI by LD_PRELOAD; in an exchange of all with all, each waits for the others' messages, so
// that it takes as much longer.
#include <mpi.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int MPI_Isend(const void* data, int count, MPI_Datatype type, int to, int tag, MPI_Comm ranks, MPI_Request* sent) {
  static _Thread_local double last = 0;
  static double delay = -1;
  if (delay < 0) delay = getenv("LMC_DELAY_US") ? 1e-6 * atof(getenv("LMC_DELAY_US")) : 0;
  const double begin = now();
  if (begin - last > delay) {
    while (now() - begin < delay) {
    }
  }
  last = now();
  return PMPI_Isend(data, count, type, to, tag, ranks, sent);
}
