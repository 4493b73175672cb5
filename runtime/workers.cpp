#include "runtime/workers.h"

#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

namespace lmc {

struct Workers::Impl {
  // Without the control oneTBB makes no more threads than there are cores.
  explicit Impl(int threads)
      : control(tbb::global_control::max_allowed_parallelism, static_cast<size_t>(threads)), arena(threads) {}
  tbb::global_control control;
  tbb::task_arena arena;
};

Workers::Workers(int threads) : threads_(std::max(threads, 1)) {
  if (threads_ > 1) impl_ = std::make_unique<Impl>(threads_);
}

Workers::~Workers() = default;

void Workers::run(const std::function<void()>& f) {
  if (impl_) {
    impl_->arena.execute(f);
  } else {
    f();
  }
}

void Workers::for_each(int64_t n, const std::function<void(int64_t)>& f) {
  if (!impl_) {
    for (int64_t i = 0; i < n; ++i) f(i);
    return;
  }
  run([&] { tbb::parallel_for(int64_t{0}, n, f, tbb::simple_partitioner()); });
}

void Workers::wake() {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::milliseconds(100);
  std::atomic<int> arrived{0};
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
