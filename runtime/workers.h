// The threads of a session: an oneTBB arena of a fixed size, also where that is more than the machine has
// cores, and whatever other sessions of the process have.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace lmc {

class Workers {
 public:
  explicit Workers(int threads);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  int threads() const { return threads_; }
  // Runs `f` on the calling thread, inside the arena: oneTBB objects made or waited for in it use these
  // threads.
  void run(const std::function<void()>& f);
  // f(0) … f(n - 1), spread over the threads.
  void for_each(int64_t n, const std::function<void(int64_t)>& f);
  // Returns when every thread has run something, or, where the system grants fewer threads, after 100 ms.
  void wake();

  // Within the arena: which of its threads this is, 0 … slots() - 1.
  static int current_slot();
  int slots() const;

 private:
  struct Impl;
  int threads_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lmc
