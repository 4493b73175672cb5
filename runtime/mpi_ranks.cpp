#include "runtime/mpi_ranks.h"

#define OMPI_SKIP_MPICXX 1  // the bindings for C++, which MPI has given up
#include <mpi.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "ir/error.h"
#include "runtime/threads.h"

namespace lmc {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr milliseconds kBeat{500};       // every rank tells all others that it is there …
constexpr milliseconds kSilence{7'000};  // … and counts as lost when it has not for so long

bool started_by_mpirun() {
  const char* size = std::getenv("OMPI_COMM_WORLD_SIZE");
  return size != nullptr && std::atoi(size) > 1;
}

void check(int code, const char* what) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw Error(std::string(what) + ": " + text);
}

// Asks again at once for as long as a step may take, if there are cores for all ranks: who sleeps is late,
// and its core slow at first. Else only in the first moments, as those that it waits for may need the core.
// Then it sleeps for a part of the time that it has waited already.
class Patience {
 public:
  explicit Patience(bool cores_for_all) : impatient_(cores_for_all ? kStep : kMoment) {}

  void wait() {
    const Clock::duration waited = Clock::now() - begin_;
    if (waited < impatient_) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(std::min({waited / 16, kShort + waited / 1000, kLong}));
    }
  }

 private:
  static constexpr Clock::duration kMoment = microseconds(300), kStep = milliseconds(100);
  static constexpr Clock::duration kShort = microseconds(50), kLong = milliseconds(1);
  const Clock::duration impatient_;
  const Clock::time_point begin_ = Clock::now();
};

// Are there cores for the threads of all ranks on this rank's machine?
bool cores_for_all(int threads) {
  MPI_Comm here;
  check(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &here), "MPI");
  check(MPI_Allreduce(MPI_IN_PLACE, &threads, 1, MPI_INT, MPI_SUM, here), "MPI");
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  ::sched_getaffinity(0, sizeof cpus, &cpus);
  check(MPI_Allreduce(MPI_IN_PLACE, &cpus, sizeof cpus, MPI_BYTE, MPI_BOR, here), "MPI");
  MPI_Comm_free(&here);
  std::vector<int> all;
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(static_cast<size_t>(i), &cpus)) all.push_back(i);
  }
  const int cores = physical_cores(all), granted = cgroup_cpus();
  return threads <= (granted > 0 ? std::min(cores, granted) : cores);
}

// A thread that says it is there and listens for the others. What only computes for long still answers; what
// was stopped, or lies on a machine that is gone, does not.
class Pulse {
 public:
  Pulse(MPI_Comm ranks, int rank, int size)
      : ranks_(ranks), rank_(rank), heard_(static_cast<size_t>(size), Clock::now()) {
    thread_ = std::thread([this] { run(); });
  }
  ~Pulse() {
    ending_ = true;
    thread_.join();
  }
  Pulse(const Pulse&) = delete;
  Pulse& operator=(const Pulse&) = delete;

 private:
  void run() {
    auto next = Clock::now();
    auto before = next;
    while (!ending_) {
      const auto now = Clock::now();
      if (now - before > kSilence / 2)
        std::fill(heard_.begin(), heard_.end(), now);  // it was this one that slept
      before = now;
      if (now >= next) {
        beat();
        next = now + kBeat;
      }
      listen(now);
      look_for_lost(now);
      std::this_thread::sleep_for(milliseconds(50));
    }
  }

  void beat() {
    for (size_t r = 0; r < heard_.size(); ++r) {
      if (static_cast<int>(r) == rank_) continue;
      MPI_Request sent;
      MPI_Isend(&sign_, 1, MPI_CHAR, static_cast<int>(r), 0, ranks_, &sent);
      MPI_Request_free(&sent);
    }
  }

  void listen(Clock::time_point now) {
    for (;;) {
      int there = 0;
      MPI_Status from;
      MPI_Iprobe(MPI_ANY_SOURCE, 0, ranks_, &there, &from);
      if (there == 0) return;
      char sign = 0;
      MPI_Recv(&sign, 1, MPI_CHAR, from.MPI_SOURCE, 0, ranks_, MPI_STATUS_IGNORE);
      heard_[static_cast<size_t>(from.MPI_SOURCE)] = now;
    }
  }

  // The first of those that are there speaks for all.
  void look_for_lost(Clock::time_point now) {
    int first = rank_, lost = -1;
    for (size_t r = heard_.size(); r-- > 0;) {
      const int other = static_cast<int>(r);
      if (other == rank_) continue;
      if (now - heard_[r] > kSilence) {
        lost = other;
      } else {
        first = std::min(first, other);
      }
    }
    if (lost < 0 || first != rank_) return;
    std::fprintf(stderr, "lmc: rank %d has not answered for %d s: all ranks end\n", lost,
                 static_cast<int>(kSilence.count() / 1000));
    MPI_Abort(MPI_COMM_WORLD, 1);
  }

  MPI_Comm ranks_;
  const int rank_;
  const char sign_ = 1;
  std::vector<Clock::time_point> heard_;
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

int bytes(int64_t n) {
  if (n > INT32_MAX)
    throw Error("a step sends more than 2 GB to another rank: compile with a smaller --block");
  return static_cast<int>(n);
}

void complete(std::vector<MPI_Request>& pending, Patience patience) {
  for (int done = 0;;) {
    check(MPI_Testall(static_cast<int>(pending.size()), pending.data(), &done, MPI_STATUSES_IGNORE), "MPI");
    if (done != 0) return;
    patience.wait();
  }
}

// Rows on their way: a rank's part is one message, in one piece.
class Rows : public Gathering {
 public:
  Rows() = default;  // none
  Rows(MPI_Comm ranks, int tag, int rank, bool cores_for_all, std::byte* rows, int64_t count,
       const PlanGather& gather)
      : cores_for_all_(cores_for_all),
        rows_(rows),
        count_(count),
        gather_(gather),
        others_(gather.bytes.size()) {
    for (const int64_t n : gather.bytes) starts_.push_back(starts_.back() + n);
    const auto own = static_cast<size_t>(rank);
    receive(ranks, tag, own);
    send(ranks, tag, own);
  }

  void end() override {
    complete(pending_, Patience(cores_for_all_));
    for (size_t r = 0; r < others_.size(); ++r) {
      for (int64_t i = 0; !others_[r].empty() && i < count_; ++i)
        std::memcpy(rows_ + i * gather_.stride + starts_[r], others_[r].data() + i * gather_.bytes[r],
                    static_cast<size_t>(gather_.bytes[r]));
    }
  }

 private:
  void receive(MPI_Comm ranks, int tag, size_t own) {
    for (size_t r = 0; gather_.gets(static_cast<int64_t>(own)) && r < others_.size(); ++r) {
      if (r == own || gather_.bytes[r] == 0) continue;
      std::byte* to = rows_ + starts_[r];
      if (count_ > 1) {
        others_[r].resize(static_cast<size_t>(count_ * gather_.bytes[r]));
        to = others_[r].data();
      }
      pending_.emplace_back();
      check(MPI_Irecv(to, bytes(count_ * gather_.bytes[r]), MPI_BYTE, static_cast<int>(r), tag, ranks,
                      &pending_.back()),
            "receiving from another rank");
    }
  }

  void send(MPI_Comm ranks, int tag, size_t own) {
    const std::byte* mine = rows_ + starts_[own];
    if (count_ > 1) {
      for (int64_t i = 0; i < count_; ++i) {
        const std::byte* row = mine + i * gather_.stride;
        packed_.insert(packed_.end(), row, row + gather_.bytes[own]);
      }
      mine = packed_.data();
    }
    for (size_t r = 0; gather_.bytes[own] > 0 && r < others_.size(); ++r) {
      if (r == own || !gather_.gets(static_cast<int64_t>(r))) continue;
      pending_.emplace_back();
      check(MPI_Isend(mine, bytes(count_ * gather_.bytes[own]), MPI_BYTE, static_cast<int>(r), tag, ranks,
                      &pending_.back()),
            "sending to another rank");
    }
  }

  bool cores_for_all_ = false;
  std::byte* rows_ = nullptr;
  int64_t count_ = 0;
  PlanGather gather_;
  std::vector<int64_t> starts_ = {0};
  std::vector<std::byte> packed_;
  std::vector<std::vector<std::byte>> others_;
  std::vector<MPI_Request> pending_;
};

class MpiRanks : public Collective {
 public:
  explicit MpiRanks(int threads) {
    int provided = 0;
    check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &provided), "MPI");
    if (provided < MPI_THREAD_MULTIPLE) throw Error("this MPI does not allow calls from several threads");
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
    check(MPI_Comm_dup(MPI_COMM_WORLD, &rows_), "MPI");
    check(MPI_Comm_dup(MPI_COMM_WORLD, &pulse_ranks_), "MPI");
    cores_for_all_ = cores_for_all(threads > 0 ? threads : default_threads());
    pulse_ = std::make_unique<Pulse>(pulse_ranks_, rank_, size_);
  }
  // All ranks come here together, or one has ended them.
  ~MpiRanks() override { pulse_.reset(); }

  int64_t rank() const override { return rank_; }
  int64_t ranks() const override { return size_; }

  std::unique_ptr<Gathering> begin_gather(std::byte* rows, int64_t count, const PlanGather& gather) override {
    // All ranks begin in one order: what belongs together has one number.
    if (count == 0) return std::make_unique<Rows>();
    return std::make_unique<Rows>(rows_, next_tag(), rank_, cores_for_all_, rows, count, gather);
  }

  void broadcast(std::vector<std::byte>& message) override {
    const int tag = next_tag();
    if (rank_ == 0) {
      std::vector<MPI_Request> pending(static_cast<size_t>(size_) - 1);
      for (int r = 1; r < size_; ++r)
        check(MPI_Isend(message.data(), bytes(static_cast<int64_t>(message.size())), MPI_BYTE, r, tag, rows_,
                        &pending[static_cast<size_t>(r) - 1]),
              "sending to another rank");
      return complete(pending, Patience(cores_for_all_));
    }
    Patience patience(cores_for_all_);
    MPI_Status status;
    for (int there = 0; there == 0; patience.wait())
      check(MPI_Iprobe(0, tag, rows_, &there, &status), "receiving from rank 0");
    int size = 0;
    MPI_Get_count(&status, MPI_BYTE, &size);
    message.resize(static_cast<size_t>(size));
    check(MPI_Recv(message.data(), size, MPI_BYTE, 0, tag, rows_, MPI_STATUS_IGNORE),
          "receiving from rank 0");
  }

 private:
  int next_tag() { return tag_ = (tag_ + 1) % 30'000; }

  int rank_ = 0, size_ = 1;
  bool cores_for_all_ = false;
  MPI_Comm rows_ = MPI_COMM_NULL, pulse_ranks_ = MPI_COMM_NULL;
  std::unique_ptr<Pulse> pulse_;
  int tag_ = 0;
};

}  // namespace

std::unique_ptr<Collective> mpi_ranks(int threads) {
  if (!started_by_mpirun()) return nullptr;
  return std::make_unique<MpiRanks>(threads);
}

void leave_mpi(int code) {
  int started = 0;
  MPI_Initialized(&started);
  if (started == 0) return;
  if (code != 0) MPI_Abort(MPI_COMM_WORLD, code);
  MPI_Finalize();
}

}  // namespace lmc
