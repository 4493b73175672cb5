#include "runtime/workers.h"

#include <tbb/global_control.h>
#include <tbb/info.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>

namespace lmc {

namespace {

// oneTBB's limit on threads is the process's, and of several limits the smallest counts. So all workers share
// one, of as many threads as they have together; never less than the limit that there is without one.
class ThreadLimit {
 public:
  static ThreadLimit& of_process() {
    static ThreadLimit limit;
    return limit;
  }

  void change(int threads) {
    const std::lock_guard lock(mutex_);
    threads_ += threads;
    control_.reset();
    if (threads_ > tbb::info::default_concurrency())
      control_.emplace(tbb::global_control::max_allowed_parallelism, static_cast<size_t>(threads_));
  }

 private:
  std::mutex mutex_;
  int threads_ = 0;
  std::optional<tbb::global_control> control_;
};

}  // namespace

// One thread has an arena too: what runs in it must not find itself in the caller's, with more slots.
struct Workers::Impl {
  explicit Impl(int count) : threads(count), arena(count) { ThreadLimit::of_process().change(threads); }
  ~Impl() { ThreadLimit::of_process().change(-threads); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  int threads;
  tbb::task_arena arena;
};

Workers::Workers(int threads) : threads_(std::max(threads, 1)), impl_(std::make_unique<Impl>(threads_)) {}

Workers::~Workers() = default;

void Workers::run(const std::function<void()>& f) { impl_->arena.execute(f); }

void Workers::for_each(int64_t n, const std::function<void(int64_t)>& f) {
  if (threads_ == 1) {
    for (int64_t i = 0; i < n; ++i) f(i);
    return;
  }
  run([&] { tbb::parallel_for(int64_t{0}, n, f, tbb::simple_partitioner()); });
}

void Workers::wake() {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::milliseconds(100);
  std::atomic<int> arrived{0};  // counts; nothing is handed over
  // Each body holds its thread until the others have one too.
  for_each(threads_, [&](int64_t) {
    ++arrived;
    while (arrived < threads_ && Clock::now() < deadline) std::this_thread::yield();
  });
}

int Workers::current_slot() { return std::max(tbb::this_task_arena::current_thread_index(), 0); }

// oneTBB gives even the smallest arena two slots.
int Workers::slots() const { return std::max(threads_, 2); }

}  // namespace lmc
