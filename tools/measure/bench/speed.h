// One speed test of a session: prefill of a prompt, decoding at a depth, some tokens at once at a depth with
// the logits of each, as verifying guessed tokens takes, a token of each of several sequences at once, or
// guessing tokens by the bundle's own draft.
#pragma once

#include <string>
#include <vector>

#include "ir/plan.h"
#include "runtime/session.h"

namespace lmc {

struct SpeedTest {
  enum class Kind : uint8_t { prefill, decode, verify, sequences, guess };
  Kind kind = Kind::prefill;
  int64_t tokens = 0;  // sequences: how many
  int64_t depth = 0;   // not prefill: positions in the cache before the first token

  std::string name() const;  // "pp512", "tg64@d0", "vf4@d0", "sq4@d0", "gs64@d0"
};

struct SpeedResult {
  SpeedTest test;
  std::vector<double> rates;  // tokens per second, by repetition
  std::vector<double> steps;  // not prefill: seconds of every step of every repetition
  double step_bytes = 0;      // not prefill: read by a step, on average over the steps
};

// `count` ids all over the vocabulary, so that lookups find no row in the cache; the same ones each time.
std::vector<int32_t> made_up_tokens(int64_t count, int64_t vocab, int64_t first = 0);

// Bytes that one decode step reads with `seen` positions in each of `caches` caches: its weights, and what it
// looks at of the caches. `guess`: by the bundle's own draft.
double step_bytes(const Plan& plan, int64_t seen, int64_t caches = 1, bool guess = false);

// Steps of a test of several tokens at once, as far as the context goes.
inline constexpr int64_t kSteps = 16;

// After one untimed run. Throws Interrupted.
SpeedResult measure_speed(Session& session, const Plan& plan, const SpeedTest& test, int repetitions);

// The pieces of it, for those who alternate sessions: seconds of one prefill; seconds of every decode step.
double time_prefill(Session& session, int64_t tokens);
std::vector<double> time_decode(Session& session, int64_t tokens, int64_t depth, bool guess = false);

}  // namespace lmc
