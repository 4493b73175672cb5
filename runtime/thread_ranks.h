// Ranks as threads of one process: for tests, and for what wants all of a model's ranks in one place.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/collective.h"

namespace lmc {

class ThreadRanks {
 public:
  explicit ThreadRanks(int64_t ranks);
  ~ThreadRanks();

  Collective& rank(int64_t r) { return *ends_[static_cast<size_t>(r)]; }
  // Whoever waits, or comes to wait, for the others gets an Error with this message.
  void fail(const std::string& message);

 private:
  class End;
  struct Post;

  std::unique_ptr<Post> post_;
  std::vector<std::unique_ptr<Collective>> ends_;
};

}  // namespace lmc
