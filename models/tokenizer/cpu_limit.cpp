#include "models/tokenizer/cpu_limit.h"

#include <x86intrin.h>

#include <ctime>

namespace lmc::tokenizer {
namespace {

constexpr uint64_t kFar = 200'000'000;  // cycles: a tenth of a second at most

double thread_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

}  // namespace

CpuLimit::CpuLimit(double seconds) : seconds_(seconds), counter_(__rdtsc()) {}

bool CpuLimit::lasts() {
  const uint64_t now = __rdtsc();
  if (now - counter_ < kFar) return true;
  counter_ = now;
  const double seconds = thread_seconds();
  if (begin_ < 0) begin_ = seconds;
  return seconds - begin_ < seconds_;
}

}  // namespace lmc::tokenizer
