#include "tools/machine/membw.h"

#include <immintrin.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "runtime/threads.h"
#include "tools/machine/statistics.h"

namespace lmc {
namespace {

constexpr double kShortestSample = 0.010;  // seconds

// Reads `size` bytes as `kStreams` runs in step, a cache line of each at a time. Returns something that
// depends on all of them.
template <int kStreams>
__attribute__((target("avx2"))) int64_t read_streams(const std::byte* data, size_t size, int prefetch) {
  const size_t run = size / kStreams / 64 * 64;
  __m256i sum = _mm256_setzero_si256();
  for (size_t at = 0; at < run; at += 64) {
    for (int s = 0; s < kStreams; ++s) {
      const auto* p = reinterpret_cast<const char*>(data) + static_cast<size_t>(s) * run + at;
      if (prefetch > 0) _mm_prefetch(p + prefetch, _MM_HINT_T0);
      sum = _mm256_xor_si256(sum, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
      sum = _mm256_xor_si256(sum, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32)));
    }
  }
  return _mm256_extract_epi64(sum, 0) ^ _mm256_extract_epi64(sum, 1);
}

// Stores past the caches, as memcpy does for such sizes. `to` is aligned to a cache line.
template <int kStreams>
__attribute__((target("avx2"))) void copy_streams(const std::byte* data, std::byte* to, size_t size,
                                                  int prefetch) {
  const size_t run = size / kStreams / 64 * 64;
  for (size_t at = 0; at < run; at += 64) {
    for (int s = 0; s < kStreams; ++s) {
      const size_t i = static_cast<size_t>(s) * run + at;
      const auto* p = reinterpret_cast<const char*>(data) + i;
      if (prefetch > 0) _mm_prefetch(p + prefetch, _MM_HINT_T0);
      auto* q = reinterpret_cast<__m256i*>(to + i);
      _mm256_stream_si256(q, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
      _mm256_stream_si256(q + 1, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32)));
    }
  }
  _mm_sfence();
}

auto reader(int streams) {
  return streams == 1 ? read_streams<1>
                      : (streams == 2 ? read_streams<2> : (streams == 4 ? read_streams<4> : read_streams<8>));
}

auto copier(int streams) {
  return streams == 1 ? copy_streams<1>
                      : (streams == 2 ? copy_streams<2> : (streams == 4 ? copy_streams<4> : copy_streams<8>));
}

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Whole pages of each thread; whole cache lines where the data is smaller than that.
size_t share_of(size_t size, size_t threads) {
  const size_t unit = size >= threads * 65536 ? 4096 : 512;
  return size / threads / unit * unit;
}

void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<size_t>(cpu), &set);
  ::pthread_setaffinity_np(::pthread_self(), sizeof set, &set);
}

}  // namespace

const std::vector<MemoryWalk>& memory_walks() {
  static const std::vector<MemoryWalk> walks = [] {
    std::vector<MemoryWalk> out;
    for (int streams : {1, 2, 4, 8}) {
      for (int kb : {0, 1, 2, 4, 8, 16}) out.push_back({streams, kb * 1024});
    }
    return out;
  }();
  return walks;
}

MemoryTeam::MemoryTeam(int threads) : MemoryTeam(std::vector<int>(static_cast<size_t>(threads), -1)) {}

MemoryTeam::MemoryTeam(const std::vector<int>& cpus) : times_(cpus.size()) {
  for (size_t t = 0; t < cpus.size(); ++t) threads_.emplace_back([this, t, cpu = cpus[t]] { work(t, cpu); });
}

MemoryTeam::~MemoryTeam() {
  const std::scoped_lock lock(mutex_);
  round_ = -1;
  changed_.notify_all();
}

void MemoryTeam::work(size_t thread, int cpu) {
  if (cpu >= 0) pin(cpu);
  int64_t done = 0;
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return round_ != done; });
    if (round_ < 0) return;
    done = round_;
    lock.unlock();
    times_[thread][0] = now();
    (*job_)(thread, passes_);
    times_[thread][1] = now();
    lock.lock();
    if (--busy_ == 0) changed_.notify_all();
  }
}

double MemoryTeam::seconds(const Job& job, int64_t passes) {
  std::unique_lock lock(mutex_);
  job_ = &job;
  passes_ = passes;
  busy_ = threads_.size();
  ++round_;
  changed_.notify_all();
  changed_.wait(lock, [&] { return busy_ == 0; });
  // From the first thread that began to the last that ended: what waking them took is not the memory's.
  double begin = times_[0][0];
  double end = times_[0][1];
  for (const auto& [b, e] : times_) {
    begin = std::min(begin, b);
    end = std::max(end, e);
  }
  return end - begin;
}

double MemoryTeam::rate(size_t bytes_per_pass, const Job& job) {
  if (bytes_per_pass == 0) return 0;
  const auto bytes = static_cast<double>(bytes_per_pass);
  auto passes = std::max<int64_t>(1, static_cast<int64_t>(sample_bytes_ / bytes));
  while (true) {
    const double taken = std::max(seconds(job, passes), 1e-7);
    if (taken >= kShortestSample) {
      // Not much longer than needed the next time either.
      const double walked = bytes * static_cast<double>(passes);
      sample_bytes_ = walked * std::min(1.2 * kShortestSample / taken, 1.0);
      return walked / taken;
    }
    passes = static_cast<int64_t>(
        std::ceil(static_cast<double>(passes) * std::min(1.2 * kShortestSample / taken, 100.0)));
  }
}

double MemoryTeam::read(std::span<const std::byte> data, const MemoryWalk& walk) {
  const size_t share = share_of(data.size(), threads_.size());
  std::vector<int64_t> sink(threads_.size());
  const double result = rate(share * threads_.size(), [&](size_t thread, int64_t passes) {
    int64_t sum = 0;
    for (int64_t p = 0; p < passes; ++p)
      sum ^= reader(walk.streams)(data.data() + thread * share, share, walk.prefetch_bytes) + p;
    sink[thread] = sum;
  });
  volatile int64_t used = sink[0];
  static_cast<void>(used);
  return result;
}

double MemoryTeam::copy(std::span<const std::byte> data, std::span<std::byte> to, const MemoryWalk& walk) {
  const size_t share = share_of(std::min(data.size(), to.size()), threads_.size());
  return rate(2 * share * threads_.size(), [&](size_t thread, int64_t passes) {
    for (int64_t p = 0; p < passes; ++p) {
      copier(walk.streams)(data.data() + thread * share, to.data() + thread * share, share,
                           walk.prefetch_bytes);
    }
  });
}

ReadBandwidth measure_read_bandwidth(std::span<const std::byte> data, int threads) {
  constexpr size_t kFinalists = 4;
  constexpr int kMore = 5;
  struct Candidate {
    MemoryWalk walk;
    std::vector<double> rates;
  };
  MemoryTeam team(threads);
  std::vector<Candidate> all;
  for (const MemoryWalk& walk : memory_walks()) all.push_back({walk, {team.read(data, walk)}});
  std::sort(all.begin(), all.end(),
            [](const Candidate& a, const Candidate& b) { return a.rates[0] > b.rates[0]; });
  all.resize(kFinalists);
  for (int round = 0; round < kMore; ++round) {
    for (Candidate& c : all) c.rates.push_back(team.read(data, c.walk));
  }
  ReadBandwidth best;
  for (const Candidate& c : all) {
    const double rate = median(c.rates);
    if (rate > best.bytes_per_second) best = {rate, c.walk.streams, c.walk.prefetch_bytes};
  }
  return best;
}

int64_t last_level_cache_bytes() {
  for (int level : {_SC_LEVEL3_CACHE_SIZE, _SC_LEVEL2_CACHE_SIZE}) {
    if (const long bytes = ::sysconf(level); bytes > 0) return bytes;
  }
  return 0;
}

std::vector<int> cpus_by_core() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> out;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return {0};
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(static_cast<size_t>(cpu), &set)) continue;
    out.push_back(cpu);
    if (physical_cores(out) < static_cast<int>(out.size())) out.pop_back();  // the second thread of a core
  }
  return out;
}

}  // namespace lmc
