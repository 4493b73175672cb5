#include "tools/bench/speed.h"

#include <algorithm>
#include <chrono>
#include <numeric>

#include "tools/console.h"

namespace lmc {
namespace {

// Ids all over the vocabulary, so that lookups find no row in the cache; the same ones each time.
std::vector<int32_t> some_tokens(const Session& session, int64_t first, int64_t count) {
  std::vector<int32_t> out;
  for (int64_t i = first; i < first + count; ++i)
    out.push_back(static_cast<int32_t>((i * 7919 + 1) % session.vocab()));
  return out;
}

void feed(Session& session, int64_t count) {
  if (count == 0) return;
  session.forward(some_tokens(session, session.position(), count), Rows::none, {});
  stop_if_interrupted();
}

}  // namespace

std::string SpeedTest::name() const {
  return kind == Kind::prefill ? "pp" + std::to_string(tokens)
                               : "tg" + std::to_string(tokens) + "@d" + std::to_string(depth);
}

double step_bytes(const Plan& plan, int64_t seen) {
  double bytes = 0;
  for (const PlanStage& s : plan.decode.stages) bytes += s.weight_bytes;
  for (const PlanCache& c : plan.caches) {
    bytes += static_cast<double>(std::min(seen, c.span)) * static_cast<double>(c.bytes) /
             static_cast<double>(c.capacity);
  }
  return bytes;
}

double time_prefill(Session& session, int64_t tokens) {
  session.reset();
  const std::vector<int32_t> prompt = some_tokens(session, 0, tokens);
  const auto start = std::chrono::steady_clock::now();
  session.step(prompt);
  const double seconds = seconds_since(start);
  stop_if_interrupted();
  return seconds;
}

std::vector<double> time_decode(Session& session, int64_t tokens, int64_t depth) {
  session.reset();
  feed(session, depth);
  std::vector<double> steps;
  for (int64_t i = 0; i < tokens; ++i) {
    const std::vector<int32_t> token = some_tokens(session, depth + i, 1);
    const auto start = std::chrono::steady_clock::now();
    session.step(token);
    steps.push_back(seconds_since(start));
    stop_if_interrupted();
  }
  return steps;
}

SpeedResult measure_speed(Session& session, const Plan& plan, const SpeedTest& test, int repetitions) {
  SpeedResult out{test, {}, {}, 0};
  const auto tokens = static_cast<double>(test.tokens);
  if (test.kind == SpeedTest::Kind::prefill) {
    time_prefill(session, test.tokens);
    for (int r = 0; r < repetitions; ++r) out.rates.push_back(tokens / time_prefill(session, test.tokens));
    return out;
  }
  for (int64_t i = 0; i < test.tokens; ++i) out.step_bytes += step_bytes(plan, test.depth + i + 1) / tokens;
  time_decode(session, std::min<int64_t>(test.tokens, 2), 0);
  for (int r = 0; r < repetitions; ++r) {
    const std::vector<double> steps = time_decode(session, test.tokens, test.depth);
    out.rates.push_back(tokens / std::accumulate(steps.begin(), steps.end(), 0.0));
    out.steps.insert(out.steps.end(), steps.begin(), steps.end());
  }
  return out;
}

}  // namespace lmc
