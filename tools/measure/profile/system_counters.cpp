#include "tools/measure/profile/system_counters.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <string>

#include "ir/seconds.h"

namespace lmc {
namespace {

using Clock = std::chrono::steady_clock;

// The beginning of a file of /proc, as it is now; empty if there is none.
template <size_t Size>
const char* beginning(const Descriptor& file, std::array<char, Size>& text) {
  const ssize_t read = file.is_open() ? pread(file.get(), text.data(), Size - 1, 0) : 0;
  text[static_cast<size_t>(std::max<ssize_t>(read, 0))] = '\0';
  return text.data();
}

// How the C library names another thread's clock (pthread_getcpuclockid, for which one must have its
// pthread_t). The process's own clock sees what other threads ran only up to the last tick.
clockid_t clock_of_thread(int id) {
  constexpr unsigned kOneThreadsRunTime = 4 | 2;
  return static_cast<clockid_t>(~static_cast<unsigned>(id) << 3 | kOneThreadsRunTime);
}

// "RAN WAITED TIMES", in nanoseconds.
void read_waits(const Descriptor& schedstat, double& waited) {
  std::array<char, 96> text;
  unsigned long long ran = 0, waits = 0;
  if (std::sscanf(beginning(schedstat, text), "%llu %llu", &ran, &waits) == 2)
    waited = static_cast<double>(waits) * 1e-9;
}

// The eighth number of the line for all CPUs, in ticks.
double stolen_seconds(const Descriptor& stat) {
  std::array<char, 256> text;
  unsigned long long ticks = 0;
  if (std::sscanf(beginning(stat, text), "cpu %*u %*u %*u %*u %*u %*u %*u %llu", &ticks) != 1) return 0;
  return static_cast<double>(ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

Descriptor open_to_read(const std::string& path) {
  return Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

}  // namespace

SystemCounters SystemCounters::operator-(const SystemCounters& b) const {
  return {on_core - b.on_core,
          waited - b.waited,
          stolen - b.stolen,
          minor_faults - b.minor_faults,
          major_faults - b.major_faults,
          forced_switches - b.forced_switches};
}

SystemCounters SystemCounters::operator+(const SystemCounters& more) const {
  return *this - (SystemCounters{} - more);
}

CounterReader::CounterReader() : stat_(open_to_read("/proc/stat")) {
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task", none)) {
    const int id = std::atoi(entry.path().filename().c_str());
    threads_.push_back({id, open_to_read(entry.path() / "schedstat")});
    knows_waits_ |= threads_.back().schedstat.is_open();
  }
}

SystemCounters CounterReader::read() {
  SystemCounters out;
  for (Thread& t : threads_) {
    timespec time;
    if (clock_gettime(clock_of_thread(t.id), &time) == 0)
      t.on_core = static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
    read_waits(t.schedstat, t.waited);
    out.on_core += t.on_core;
    out.waited += t.waited;
  }
  out.stolen = stolen_seconds(stat_);
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  out.minor_faults = usage.ru_minflt;
  out.major_faults = usage.ru_majflt;
  out.forced_switches = usage.ru_nivcsw;
  return out;
}

double page_fault_seconds() {
  constexpr size_t kPages = 256, kPage = 4096;
  void* memory = mmap(nullptr, kPages * kPage, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return 0;
  madvise(memory, kPages * kPage, MADV_NOHUGEPAGE);  // one fault each
  const auto begin = Clock::now();
  for (size_t page = 0; page < kPages; ++page) static_cast<volatile char*>(memory)[page * kPage] = 1;
  const double seconds = seconds_since(begin);
  munmap(memory, kPages * kPage);
  return seconds / kPages;
}

// The better of two halves: an interrupt in one of them says nothing of the clock.
double clock_probe() {
  constexpr int kSteps = 2000;
  double best = std::numeric_limits<double>::max();
  for (int half = 0; half < 2; ++half) {
    const auto begin = Clock::now();
    uint64_t x = 1;
    for (int i = 0; i < kSteps; ++i) {
      x = x * 6364136223846793005U + 1442695040888963407U;
      asm volatile("" : "+r"(x));  // one after the other, whatever the compiler knows of the series
    }
    best = std::min(best, seconds_since(begin));
  }
  return 2 * best;
}

}  // namespace lmc
