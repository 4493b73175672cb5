#include "tools/measure/bench/speed.h"

#include <algorithm>
#include <chrono>
#include <numeric>

#include "tools/cli/console.h"
#include "tools/measure/bench/sequences_speed.h"

namespace lmc {
namespace {

void feed(Session& session, int64_t count) {
  if (count == 0) return;
  session.forward(made_up_tokens(count, session.vocab(), session.position()), Rows::none, {});
  stop_if_interrupted();
}

}  // namespace

std::vector<int32_t> made_up_tokens(int64_t count, int64_t vocab, int64_t first) {
  std::vector<int32_t> out;
  for (int64_t i = first; i < first + count; ++i) out.push_back(static_cast<int32_t>((i * 7919 + 1) % vocab));
  return out;
}

std::string SpeedTest::name() const {
  const std::string at = std::to_string(tokens) + "@d" + std::to_string(depth);
  switch (kind) {
    case Kind::decode:
      return "tg" + at;
    case Kind::verify:
      return "vf" + at;
    case Kind::sequences:
      return "sq" + at;
    case Kind::guess:
      return "gs" + at;
    case Kind::prefill:
      return "pp" + std::to_string(tokens);
  }
  return "";
}

double step_bytes(const Plan& plan, int64_t seen, int64_t caches, bool guess) {
  double bytes = 0;
  for (const PlanStage& s : (guess ? plan.draft : plan.decode).stages) bytes += s.work.weight_bytes;
  for (const PlanCache& c : plan.caches) {
    bytes += static_cast<double>(caches * std::min(seen, c.span)) * static_cast<double>(c.bytes) /
             static_cast<double>(c.capacity);
  }
  return bytes;
}

double time_prefill(Session& session, int64_t tokens) {
  session.reset();
  const std::vector<int32_t> prompt = made_up_tokens(tokens, session.vocab());
  const auto start = std::chrono::steady_clock::now();
  session.step(prompt);
  const double seconds = seconds_since(start);
  stop_if_interrupted();
  return seconds;
}

std::vector<double> time_decode(Session& session, int64_t tokens, int64_t depth, bool guess) {
  session.reset();
  feed(session, depth);
  std::vector<double> steps;
  for (int64_t i = 0; i < tokens; ++i) {
    const std::vector<int32_t> token = made_up_tokens(1, session.vocab(), depth + i);
    const auto start = std::chrono::steady_clock::now();
    guess ? session.guess(session.sequence(), token[0]) : session.next(token);
    steps.push_back(seconds_since(start));
    stop_if_interrupted();
  }
  return steps;
}

// The session has no way back, so each step starts where the one before ended, as far as the context goes.
std::vector<double> time_verify(Session& session, int64_t tokens, int64_t depth) {
  session.reset();
  feed(session, depth);
  std::vector<double> steps;
  for (int64_t i = 0; i < kSteps && session.position() + tokens <= session.context(); ++i) {
    const std::vector<int32_t> some = made_up_tokens(tokens, session.vocab(), session.position());
    const auto start = std::chrono::steady_clock::now();
    session.forward(some, Rows::all, [](int64_t, int64_t, const float*) {});
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
  const bool guess = test.kind == SpeedTest::Kind::guess;
  const bool decodes = guess || test.kind == SpeedTest::Kind::decode;
  std::optional<SequencesTimer> sequences;
  if (decodes) {
    for (int64_t i = 0; i < test.tokens; ++i)
      out.step_bytes += step_bytes(plan, test.depth + i + 1, 1, guess) / tokens;
  } else if (test.kind == SpeedTest::Kind::verify) {
    out.step_bytes = step_bytes(plan, test.depth + test.tokens);
  } else {
    out.step_bytes = step_bytes(plan, test.depth + 1, test.tokens);
    sequences.emplace(session, test.tokens, test.depth);
    sequences->time(2);  // untimed
  }
  time_decode(session, std::min<int64_t>(test.tokens, 2), 0);
  for (int r = 0; r < repetitions; ++r) {
    const std::vector<double> steps = sequences ? sequences->time(kSteps)
                                      : decodes ? time_decode(session, test.tokens, test.depth, guess)
                                                : time_verify(session, test.tokens, test.depth);
    const double seconds = std::accumulate(steps.begin(), steps.end(), 0.0);
    out.rates.push_back((decodes ? 1.0 : tokens) * static_cast<double>(steps.size()) / seconds);
    out.steps.insert(out.steps.end(), steps.begin(), steps.end());
  }
  return out;
}

}  // namespace lmc
