// How fast this machine reads and copies memory: the bound of every decode step.
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

namespace lmc {

// One way of walking memory: `streams` runs per thread in step, each prefetched so far ahead.
struct MemoryWalk {
  int streams = 1;
  int prefetch_bytes = 0;
};
const std::vector<MemoryWalk>& memory_walks();  // 1, 2, 4, 8 streams x 0, 1, 2, 4, 8, 16 KB

// Threads that are made once and walk memory many times: making a thread costs as much as reading a megabyte.
class MemoryTeam {
 public:
  explicit MemoryTeam(int threads);
  explicit MemoryTeam(const std::vector<int>& cpus);  // a thread on each of these
  ~MemoryTeam();
  MemoryTeam(const MemoryTeam&) = delete;
  MemoryTeam& operator=(const MemoryTeam&) = delete;

  // Bytes per second. Small data is walked again and again, so that a sample never takes less than 10 ms.
  double read(std::span<const std::byte> data, const MemoryWalk& walk);
  // Likewise, of as much of `to` (same size, at least). Read and written bytes both count, as in STREAM.
  double copy(std::span<const std::byte> data, std::span<std::byte> to, const MemoryWalk& walk);

 private:
  using Job = std::function<void(size_t thread, int64_t passes)>;
  double rate(size_t bytes_per_pass, const Job& job);
  double seconds(const Job& job, int64_t passes);
  void work(size_t thread, int cpu);

  std::mutex mutex_;
  std::condition_variable changed_;
  const Job* job_ = nullptr;
  int64_t passes_ = 1;       // of the job at hand
  double sample_bytes_ = 0;  // that the last sample needed to walk: a first guess for the next
  int64_t round_ = 0;        // counts jobs; -1 ends the threads
  size_t busy_ = 0;
  std::vector<std::array<double, 2>> times_;  // begin and end of the job, by thread
  std::vector<std::jthread> threads_;
};

struct ReadBandwidth {
  double bytes_per_second = 0;
  int streams = 0;         // per thread
  int prefetch_bytes = 0;  // ahead
};

// "Read bandwidth" wherever lmc says it: the best way of walking `data`. All ways are tried once, the four
// fastest five times more, in turn; the best median counts. `data` should be much larger than the caches.
ReadBandwidth measure_read_bandwidth(std::span<const std::byte> data, int threads);

int64_t last_level_cache_bytes();  // 0 if the system does not say

// CPUs this process may use, one for each physical core.
std::vector<int> cpus_by_core();

}  // namespace lmc
