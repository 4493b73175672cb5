// runtime/workers.h with threads of the standard library, one for each piece of work.
#include "runtime/workers.h"

#include <atomic>
#include <thread>
#include <vector>

namespace lmc {

struct Workers::Impl {};

Workers::Workers(int threads) : threads_(threads) {}
Workers::~Workers() = default;

void Workers::run(const std::function<void()>& f) { f(); }

void Workers::for_each(int64_t n, const std::function<void(int64_t)>& f) {
  std::atomic<int64_t> next{0};
  std::vector<std::jthread> team;
  for (int t = 0; t < threads_; ++t) {
    team.emplace_back([&] {
      for (int64_t i = next++; i < n; i = next++) f(i);
    });
  }
}

void Workers::wake() {
  for_each(threads_, [](int64_t) {});
}

int Workers::slots() const { return threads_; }

}  // namespace lmc
