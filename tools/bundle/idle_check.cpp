#include "tools/bundle/idle_check.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "ir/error.h"
#include "tools/system/files.h"

namespace lmc {
namespace {

constexpr size_t kPiece = 1 << 20;
constexpr std::chrono::milliseconds kNap{20};

// Signals are for the threads that wait for them.
std::thread quiet_thread(std::function<void()> f) {
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread out(std::move(f));
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return out;
}

}  // namespace

IdleCheck::IdleCheck(const Bundle& bundle, std::function<bool()> busy, std::function<void()> on_damage)
    : bundle_(bundle),
      busy_(std::move(busy)),
      on_damage_(std::move(on_damage)),
      thread_(quiet_thread([this] { read(); })) {}

IdleCheck::~IdleCheck() {
  stop_ = true;
  thread_.join();
}

void IdleCheck::read() {
  // Not SCHED_IDLE: on a busy machine a thread that gets no time keeps what it holds in a page fault, the
  // lock of the address space, and everybody waits with it.
  constexpr int kNice = 10;
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice);
  Sha256 hash;
  for (auto left = bundle_.weight_file(); !left.empty();) {
    while (!stop_ && busy_()) std::this_thread::sleep_for(kNap);
    if (stop_) return;
    const size_t n = std::min(left.size(), kPiece);
    hash.update(left.first(n));
    left = left.subspan(n);
  }
  try {
    bundle_.check_weight_hash(hash.hex());
  } catch (const Error& e) {
    {
      const std::lock_guard lock(mutex_);
      damage_ = e.what();
    }
    if (on_damage_) on_damage_();
  }
}

void IdleCheck::throw_if_damaged() const {
  const std::lock_guard lock(mutex_);
  if (!damage_.empty()) throw Error(damage_);
}

}  // namespace lmc
