// A network that is farther away: the first message behind what a rank has waited for is sent so many microseconds
// later (LMC_DELAY_US), and what follows at once with it. Loaded in front of MPI by LD_PRELOAD; in an exchange of all
// with all, each waits for the others' messages, so that it takes as much longer.
#include <mpi.h>
#include <stdlib.h>
#include <time.h>

static _Thread_local int has_waited = 1;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int MPI_Isend(const void* data, int count, MPI_Datatype type, int to, int tag, MPI_Comm ranks, MPI_Request* sent) {
  static double delay = -1;
  if (delay < 0) delay = getenv("LMC_DELAY_US") ? 1e-6 * atof(getenv("LMC_DELAY_US")) : 0;
  const double begin = now();
  while (has_waited && now() - begin < delay) {
  }
  has_waited = 0;
  return PMPI_Isend(data, count, type, to, tag, ranks, sent);
}

int MPI_Testall(int count, MPI_Request* requests, int* done, MPI_Status* statuses) {
  has_waited = 1;
  return PMPI_Testall(count, requests, done, statuses);
}

int MPI_Iprobe(int from, int tag, MPI_Comm ranks, int* there, MPI_Status* status) {
  has_waited = 1;
  return PMPI_Iprobe(from, tag, ranks, there, status);
}
