#include "runtime/sequence_number.h"

#include <mutex>
#include <set>

namespace lmc {
namespace {

// Those that were given back, and the first that never was given out.
struct Numbers {
  std::mutex mutex;
  std::set<int32_t> free;
  int32_t next = 0;
};

Numbers& numbers() {
  static Numbers all;
  return all;
}

}  // namespace

SequenceNumber::SequenceNumber() {
  Numbers& n = numbers();
  const std::lock_guard lock(n.mutex);
  value_ = n.free.empty() ? n.next++ : *n.free.begin();
  n.free.erase(value_);
}

SequenceNumber::~SequenceNumber() {
  if (value_ < 0) return;
  Numbers& n = numbers();
  const std::lock_guard lock(n.mutex);
  n.free.insert(value_);
}

}  // namespace lmc
