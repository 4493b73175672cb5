// What the batcher's readers see: bench_batcher BUNDLE [PROMPT [SLOTS [THREADS]]] prints the rate of one text
// and of many, the time between tokens with and without a long prompt joining, and what feeding that prompt
// costs the first time and the second.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <thread>

#include "ir/seconds.h"
#include "runtime/random.h"
#include "runtime/serving/batcher.h"
#include "tools/generate/engine.h"

namespace lmc {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<int32_t> prompt_of(int64_t tokens, uint64_t seed, int64_t vocab) {
  Random random(seed);
  std::vector<int32_t> out;
  for (int64_t i = 0; i < tokens; ++i)
    out.push_back(static_cast<int32_t>(random.below(static_cast<uint64_t>(vocab))));
  return out;
}

double at(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<size_t>(share * static_cast<double>(values.size())))];
}

// A request and when its tokens came.
struct Stream {
  Clock::time_point asked = Clock::now();
  std::vector<Clock::time_point> tokens;
  std::atomic<bool> ended{false};

  AnswerRequest request(std::vector<int32_t> prompt, int64_t most) {
    AnswerRequest out{.prompt = std::move(prompt)};
    out.options.max_tokens = most;
    out.options.sampler = {.temperature = 1, .top_k = 40, .seed = 1};
    tokens.reserve(static_cast<size_t>(most));
    out.on_token = [this](const TokenChoice&) {
      tokens.push_back(Clock::now());
      return true;
    };
    out.on_end = [this](const Generated&, const std::string& error) {
      if (!error.empty()) fmt::print(stderr, "{}\n", error);
      ended = true;
      ended.notify_all();
    };
    asked = Clock::now();
    return out;
  }
  void wait() { ended.wait(false); }
  double first() const { return std::chrono::duration<double>(tokens[0] - asked).count(); }
};

// Between neighbouring tokens of all streams, in ms, that came within [from, to).
std::vector<double> gaps(const std::vector<Stream>& streams, Clock::time_point from, Clock::time_point to) {
  std::vector<double> out;
  for (const Stream& s : streams) {
    for (size_t i = 1; i < s.tokens.size(); ++i) {
      if (s.tokens[i - 1] >= from && s.tokens[i] < to)
        out.push_back(std::chrono::duration<double, std::milli>(s.tokens[i] - s.tokens[i - 1]).count());
    }
  }
  return out;
}

// `count` texts of `tokens` tokens at once; tokens/s once all are being made.
double rate(Batcher& batcher, int64_t count, int64_t tokens, int64_t vocab) {
  std::vector<Stream> streams(static_cast<size_t>(count));
  for (size_t i = 0; i < streams.size(); ++i)
    batcher.submit(streams[i].request(prompt_of(16, i + 100, vocab), tokens));
  for (Stream& s : streams) s.wait();
  Clock::time_point begin, end = Clock::time_point::max();
  for (const Stream& s : streams) {
    begin = std::max(begin, s.tokens.front());
    end = std::min(end, s.tokens.back());
  }
  const double made = static_cast<double>(gaps(streams, begin, end).size());
  return made / std::chrono::duration<double>(end - begin).count();
}

int run(const std::string& bundle, int64_t prompt, int64_t slots, int threads) {
  Engine engine(bundle, {.threads = threads});
  engine.warm_up();
  Session& session = engine.session();
  const int64_t vocab = session.vocab();
  Batcher batcher(session, {.slots = slots});
  std::thread steps([&] { batcher.run(); });

  rate(batcher, slots, 8, vocab);
  for (int round = 0; round < 3; ++round) {
    const double one = rate(batcher, 1, 40, vocab), many = rate(batcher, slots, 40, vocab);
    fmt::print("1 text {:.1f} tokens/s, {} texts {:.1f}: {:.2f} times\n", one, slots, many, many / one);
  }

  std::vector<Stream> streams(static_cast<size_t>(slots - 1));
  for (size_t i = 0; i < streams.size(); ++i)
    batcher.submit(streams[i].request(prompt_of(16, i + 200, vocab), 100000));
  const auto sleep = [](double seconds) {
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  };
  sleep(1);
  const auto quiet = Clock::now();
  sleep(3);
  const auto joins = Clock::now();
  const std::vector<int32_t> longest = prompt_of(prompt, 7, vocab);
  Stream first, second;
  batcher.submit(first.request(longest, 1));
  first.wait();
  const auto joined = Clock::now();
  batcher.submit(second.request(longest, 1));
  second.wait();
  batcher.stop(std::chrono::milliseconds(0));
  steps.join();

  const auto calm = gaps(streams, quiet, joins), busy = gaps(streams, joins, joined);
  const double median = at(calm, 0.5);
  fmt::print(
      "between tokens of {} texts, ms: quiet p50 {:.1f} p99 {:.1f}; while {} tokens join p50 {:.1f} p99 "
      "{:.1f} most {:.1f}: p99 {:.2f} times the quiet median\n",
      slots - 1, median, at(calm, 0.99), prompt, at(busy, 0.5), at(busy, 0.99), at(busy, 1),
      at(busy, 0.99) / median);
  fmt::print("first token of the prompt after {:.2f} s, of the same again after {:.3f} s\n", first.first(),
             second.first());
  const BatcherStats s = batcher.stats();
  fmt::print("kept {:.1f} MB, {} tokens reused, {} fed\n", static_cast<double>(s.kept_bytes) / 1e6,
             s.reused_tokens, s.prompt_tokens);
  return 0;
}

}  // namespace
}  // namespace lmc

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "bench_batcher BUNDLE [PROMPT [SLOTS [THREADS]]]\n");
    return 2;
  }
  const auto number = [&](int i, int64_t otherwise) { return argc > i ? std::atoll(argv[i]) : otherwise; };
  return lmc::run(argv[1], number(2, 4000), number(3, 8), static_cast<int>(number(4, 0)));
}
