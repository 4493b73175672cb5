// Several transfers at a time, each thread with connections of its own.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>

#include "tools/hub/http.h"

namespace lmc {

// True once the user has pressed Ctrl-C or some transfer has failed: `work` below shall end with Interrupted.
class Cancel {
 public:
  Cancel();
  std::function<bool()> asked;
  void now() { *flag_ = true; }

 private:
  std::shared_ptr<std::atomic<bool>> flag_;  // a hint: who fails says why under a mutex
};

// work(client, i) for each i < count, on `threads` threads; `tick` on this one, some ten times a second. The
// first exception cancels the others and is thrown again.
void run_workers(size_t count, int threads, Cancel cancel,
                 const std::function<void(HttpClient&, size_t)>& work, const std::function<void()>& tick);

}  // namespace lmc
