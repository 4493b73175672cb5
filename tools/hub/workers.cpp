#include "tools/hub/workers.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "tools/cli/console.h"

namespace lmc {

Cancel::Cancel() : flag_(std::make_shared<std::atomic<bool>>(false)) {
  asked = [flag = flag_] { return *flag || interrupted(); };
}

void run_workers(size_t count, int threads, Cancel cancel,
                 const std::function<void(HttpClient&, size_t)>& work, const std::function<void()>& tick) {
  std::atomic<size_t> next{0};  // hands over numbers; `running` and `first` are the mutex's
  std::mutex mutex;
  std::condition_variable ended;
  std::exception_ptr first;
  size_t running = std::min(count, static_cast<size_t>(threads));
  std::vector<std::jthread> pool;
  for (size_t t = running; t > 0; --t) {
    pool.emplace_back([&] {
      try {
        HttpClient client;
        for (size_t i = next++; i < count && !cancel.asked(); i = next++) work(client, i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!first) first = std::current_exception();
        cancel.now();
      }
      const std::lock_guard lock(mutex);
      --running;
      ended.notify_all();
    });
  }
  for (std::unique_lock lock(mutex); running > 0;) {
    ended.wait_for(lock, std::chrono::milliseconds(100));
    tick();
  }
  pool.clear();
  if (first) std::rethrow_exception(first);
  stop_if_interrupted();
}

}  // namespace lmc
