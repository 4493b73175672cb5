#include "tools/measure/bench/bench.h"

#include <algorithm>

#include "runtime/threads.h"
#include "tools/cli/console.h"
#include "tools/generate/engine.h"
#include "tools/machine/machine.h"
#include "tools/machine/statistics.h"

namespace lmc {
namespace {

// Bandwidth drifts with the machine's mood: the best of several moments is what decode could have had.
void measure_again(ReadBandwidth& best, const Engine& engine, int threads) {
  const ReadBandwidth now = measure_read_bandwidth(engine.bundle().weight_file(), threads);
  if (now.bytes_per_second > best.bytes_per_second) best = now;
  stop_if_interrupted();
}

}  // namespace

double BenchResult::fraction(const SpeedResult& decode) const {
  if (read.bytes_per_second <= 0) return 0;
  return decode.step_bytes / median(decode.steps) / read.bytes_per_second;
}

void check_tests(const std::string& bundle, const Plan& plan, const std::vector<SpeedTest>& tests) {
  const int64_t context = plan.context, most = std::min(most_tokens(plan), most_logits(plan));
  for (const SpeedTest& t : tests) {
    if (t.kind == SpeedTest::Kind::sequences) {
      if (t.tokens > most)
        throw UsageError(
            fmt::format("-b {}: a step of {} takes at most {} sequences", t.tokens, bundle, most));
      if (t.depth + 1 > context)
        throw UsageError(
            fmt::format("-d {} leaves no token of the context of {}, {}", t.depth, bundle, context));
      continue;
    }
    if (t.depth + t.tokens <= context) continue;
    const bool decodes = t.kind == SpeedTest::Kind::decode;
    const std::string what =
        t.kind == SpeedTest::Kind::prefill
            ? fmt::format("-p {} exceeds", t.tokens)
            : fmt::format("-d {} and -{} {} together exceed", t.depth, decodes ? "n" : "m", t.tokens);
    throw UsageError(fmt::format("{} the context of {}, {}", what, bundle, context));
  }
}

BenchResult bench(const std::string& bundle, int threads, const std::vector<SpeedTest>& tests,
                  int repetitions, const std::string& scheduler, const EngineLoad& load, Collective* ranks) {
  BenchResult out;
  out.bundle = bundle;
  // Before a process is timed that would measure the machine first.
  machine_figures(threads > 0 ? threads : default_threads());
  if (!ranks) {
    // Before anything here maps the weights: mapped pages cannot be dropped.
    out.cold_kept = drop_from_page_cache(bundle + "/weights.safetensors");
    out.cold = measure_first_token(bundle, threads);
    out.warm = measure_first_token(bundle, threads);
  }

  reset_peak_memory();
  Engine engine(bundle, {.threads = threads, .scheduler = scheduler, .collective = ranks}, load);
  Session& session = engine.session();
  out.threads = session.threads();
  out.weight_file_bytes = static_cast<double>(engine.bundle().weight_file().size());
  out.in_cache = out.weight_file_bytes <= 2 * static_cast<double>(last_level_cache_bytes());
  session.warm_up();
  measure_again(out.read, engine, out.threads);
  for (const SpeedTest& test : tests) {
    out.tests.push_back(measure_speed(session, engine.bundle().plan, test, repetitions));
    measure_again(out.read, engine, out.threads);
    if (test.kind != SpeedTest::Kind::decode || !session.guesses()) continue;
    SpeedTest guess = test;
    guess.kind = SpeedTest::Kind::guess;
    out.tests.push_back(measure_speed(session, engine.bundle().plan, guess, repetitions));
  }
  out.peak_memory = peak_memory_bytes();
  return out;
}

}  // namespace lmc
