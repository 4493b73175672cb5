// One speed test of a session: prefill of a prompt, or decoding at a depth.
#pragma once

#include <string>
#include <vector>

#include "ir/plan.h"
#include "runtime/session.h"

namespace lmc {

struct SpeedTest {
  enum class Kind : uint8_t { prefill, decode };
  Kind kind = Kind::prefill;
  int64_t tokens = 0;
  int64_t depth = 0;  // decode: positions in the cache before the first token

  std::string name() const;  // "pp512", "tg64@d0"
};

struct SpeedResult {
  SpeedTest test;
  std::vector<double> rates;  // tokens per second, by repetition
  std::vector<double> steps;  // decode: seconds of every step of every repetition
  double step_bytes = 0;      // decode: read by a step, on average over the steps
};

// Bytes that one decode step reads with `seen` positions in the cache: its weights, and what it looks at of
// the cache.
double step_bytes(const Plan& plan, int64_t seen);

// After one untimed run. Throws Interrupted.
SpeedResult measure_speed(Session& session, const Plan& plan, const SpeedTest& test, int repetitions);

// The pieces of it, for those who alternate sessions: seconds of one prefill; seconds of every decode step.
double time_prefill(Session& session, int64_t tokens);
std::vector<double> time_decode(Session& session, int64_t tokens, int64_t depth);

}  // namespace lmc
