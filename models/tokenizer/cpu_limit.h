// How long this thread may compute at one thing that a file asks for.
#pragma once

#include <cstdint>

namespace lmc::tokenizer {

class CpuLimit {
 public:
  explicit CpuLimit(double seconds);
  // False once the thread has computed for longer. Asked often: reads a counter, and the thread's clock only
  // when that has gone far.
  bool lasts();

 private:
  double seconds_;
  double begin_ = -1;  // of the thread's clock, read when the counter first has gone far
  uint64_t counter_;
};

}  // namespace lmc::tokenizer
