#include "tools/system/jobs.h"

#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace lmc {

void run_jobs(int threads, size_t count, const std::function<void(size_t)>& job) {
  // They hand over a number and a hint, in the usual order, as a job takes longer than that costs. What jobs
  // write is seen by the caller because it joins them, the failure because of the mutex and of that.
  std::atomic<size_t> next{0};
  std::atomic<bool> stop{false};
  std::mutex mutex;
  std::exception_ptr failure;
  std::vector<std::jthread> workers;
  for (int t = 0; t < threads; ++t) {
    workers.emplace_back([&] {
      try {
        for (size_t i = next++; i < count && !stop; i = next++) job(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
        stop = true;
      }
    });
  }
  workers.clear();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace lmc
