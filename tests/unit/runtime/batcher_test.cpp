#include "runtime/serving/batcher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <ctime>
#include <limits>
#include <map>
#include <mutex>
#include <thread>

#include "runtime/draft.h"
#include "runtime/generate.h"
#include "runtime/random.h"
#include "runtime/serving/kv_pages.h"
#include "runtime/serving/logprobs.h"
#include "toy_model.h"

namespace lmc {
namespace {

using std::chrono::milliseconds;
using test::message;
using test::some_tokens;
using test::ToyModel;

// A batcher whose steps run on a thread of their own, as a server's do.
class Running {
 public:
  Running(const ToyModel& model, const BatcherOptions& options,
          const SessionOptions& session = {.threads = 1})
      : session_(model.session(session)), batcher(*session_, options), thread_([this] { batcher.run(); }) {}
  ~Running() { finish(milliseconds(0)); }

  void finish(milliseconds grace) {
    batcher.stop(grace);
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::unique_ptr<Session> session_;

 public:
  Batcher batcher;

 private:
  std::thread thread_;
};

// What one request was told, for another thread to wait for.
class Heard {
 public:
  AnswerRequest request(std::vector<int32_t> prompt, const GenerateOptions& options, int64_t top = -1) {
    AnswerRequest out{.prompt = std::move(prompt), .options = options, .top_logprobs = top};
    out.on_prompt = [this](int64_t n) {
      const std::lock_guard lock(mutex_);
      EXPECT_TRUE(choices.empty()) << "the prompt comes first";
      reused = n;
    };
    out.on_token = [this](const TokenChoice& c) {
      {
        const std::lock_guard lock(mutex_);
        EXPECT_FALSE(ended_);
        choices.push_back(c);
        wake_.notify_all();
      }
      return !on_token || on_token();
    };
    out.on_end = [this](const Generated& g, const std::string& e) {
      const std::lock_guard lock(mutex_);
      EXPECT_FALSE(ended_) << "ends once";
      ended_ = true;
      generated = g;
      error = e;
      wake_.notify_all();
    };
    return out;
  }
  void wait_for(size_t tokens) {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [&] { return ended_ || choices.size() >= tokens; });
  }
  void wait_for_end() { wait_for(SIZE_MAX); }
  bool ended() {
    const std::lock_guard lock(mutex_);
    return ended_;
  }

  std::function<bool()> on_token;
  std::vector<TokenChoice> choices;
  Generated generated;
  std::string error;
  int64_t reused = -1;

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ended_ = false;
};

// What generate() gives alone, and the choices that the logits of a session alone amount to.
struct Alone {
  Generated generated;
  std::vector<TokenChoice> choices;
};
Alone alone(const ToyModel& model, const std::vector<int32_t>& prompt, const GenerateOptions& options,
            int64_t top) {
  Alone out{generate(*model.session(), prompt, options), {}};
  std::vector<int32_t> text = prompt;
  for (const int32_t id : out.generated.ids) {
    out.choices.push_back(top < 0 ? TokenChoice{id} : choice_of(id, model.reference(text), top));
    text.push_back(id);
  }
  return out;
}

void expect_same(const TokenChoice& a, const TokenChoice& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.logprob, b.logprob);
  ASSERT_EQ(a.top.size(), b.top.size());
  for (size_t i = 0; i < a.top.size(); ++i) {
    EXPECT_EQ(a.top[i].id, b.top[i].id);
    EXPECT_EQ(a.top[i].logprob, b.top[i].logprob);
  }
}

void expect_same(const std::vector<TokenChoice>& a, const std::vector<TokenChoice>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) expect_same(a[i], b[i]);
}

void expect_nothing_left(const Running& r) {
  const BatcherStats s = r.batcher.stats();
  EXPECT_EQ(s.running, 0);
  EXPECT_EQ(s.waiting, 0);
  EXPECT_EQ(s.sequence_bytes, 0);
  for (const auto& slot : s.slots) EXPECT_EQ(slot.id, 0u);
}

struct Ask {
  std::vector<int32_t> prompt;
  GenerateOptions options;
  int64_t top;
};

// Mixed lengths; a third begin alike, some in a page of their own behind that.
std::vector<Ask> some_asks(size_t count, uint64_t seed, size_t longest, size_t most_made = 40) {
  Random random(seed);
  const auto below = [&](size_t n) { return static_cast<size_t>(random.below(n)); };
  std::vector<Ask> out;
  for (size_t i = 0; i < count; ++i) {
    Ask& ask = out.emplace_back();
    ask.prompt = some_tokens(1 + below(longest));
    if (i % 3 != 0) ask.prompt[below(ask.prompt.size())] = static_cast<int32_t>(below(50));
    ask.options.max_tokens = static_cast<int64_t>(1 + below(most_made));
    if (i % 2 == 0) ask.options.sampler = {.temperature = 1.2, .top_k = 20, .seed = i};
    if (i % 5 == 0) ask.options.sampler.repetition_penalty = 1.3;
    if (i % 7 == 0) ask.options.sampler.frequency_penalty = 0.7;
    if (i % 14 == 0) ask.options.sampler.counts_answer_alone = true;
    if (i % 4 == 0) ask.options.stop_ids = {7};
    ask.top = i % 6 == 0 ? static_cast<int64_t>(i % 4) : -1;
  }
  return out;
}

// Many at once, submitted by several threads; each answer is what it is alone, bit for bit.
BatcherStats ask_at_random(const ToyModel& model, const BatcherOptions& options, int threads,
                           const std::vector<Ask>& asks, const std::vector<Alone>& expected) {
  Running running(model, options, {.threads = threads, .scheduler = threads > 1 ? "flow-graph" : "in-order"});
  std::vector<Heard> heard(asks.size());
  constexpr size_t kClients = 8;
  std::vector<std::thread> clients;
  for (size_t c = 0; c < kClients; ++c) {
    clients.emplace_back([&, c] {
      for (size_t i = c; i < asks.size(); i += kClients) {
        const uint64_t id =
            running.batcher.submit(heard[i].request(asks[i].prompt, asks[i].options, asks[i].top));
        ASSERT_NE(id, 0u);
        if (i % 3 == 0) heard[i].wait_for_end();
      }
    });
  }
  for (auto& c : clients) c.join();
  for (size_t i = 0; i < asks.size(); ++i) {
    heard[i].wait_for_end();
    EXPECT_EQ(heard[i].error, "");
    EXPECT_EQ(heard[i].generated.ids, expected[i].generated.ids) << "request " << i;
    EXPECT_EQ(heard[i].generated.reason, expected[i].generated.reason);
    expect_same(heard[i].choices, expected[i].choices);
  }
  running.finish(milliseconds(0));
  expect_nothing_left(running);
  return running.batcher.stats();
}

std::vector<Alone> all_alone(const ToyModel& model, const std::vector<Ask>& asks) {
  std::vector<Alone> out;
  for (const Ask& a : asks) out.push_back(alone(model, a.prompt, a.options, a.top));
  return out;
}

TEST(Batcher, HiddenStatesAreThoseOfEachTokenAloneWhateverElseIsMade) {
  const ToyModel model(100, 300, 32, 16);
  Running running(model,
                  {.slots = 3, .queue = 60, .kv_bytes = 1 << 16});  // little: some must leave their place
  std::vector<std::unique_ptr<Heard>> heard;
  std::vector<std::vector<float>> states(24);
  for (size_t i = 0; i < states.size(); ++i) {
    std::vector<int32_t> prompt = some_tokens(1 + i * 11);
    prompt[0] = static_cast<int32_t>(i);
    heard.push_back(std::make_unique<Heard>());
    AnswerRequest r = heard.back()->request(prompt, {.max_tokens = 30});
    if (i % 3 != 0) {
      r.on_hidden = [&into = states[i]](std::span<const float> s) {
        into.insert(into.end(), s.begin(), s.end());
      };
    }
    ASSERT_NE(running.batcher.submit(std::move(r)), 0u);
  }
  for (const auto& h : heard) h->wait_for_end();
  running.finish(milliseconds(0));
  for (size_t i = 0; i < states.size(); ++i) {
    EXPECT_EQ(heard[i]->error, "");
    EXPECT_EQ(heard[i]->generated.reason, StopReason::max_tokens);
    EXPECT_EQ(heard[i]->choices.size(), i % 3 == 0 ? 30u : 0u);
    if (i % 3 == 0) continue;
    std::vector<int32_t> prompt = some_tokens(1 + i * 11);
    prompt[0] = static_cast<int32_t>(i);
    std::vector<float> want;
    for (size_t n = 1; n <= prompt.size(); ++n) {
      const std::vector<float> row = model.reference(std::span(prompt).first(n));
      want.insert(want.end(), row.begin(), row.end());
    }
    EXPECT_EQ(states[i], want) << i;
  }
}

TEST(Batcher, EachGetsWhatItGetsAlone) {
  for (const int64_t span : {int64_t{10}, int64_t{100}, int64_t{500}}) {  // windows, one of two pages; none
    const ToyModel model(span, 500, 32, 16);
    const auto asks = some_asks(64, static_cast<uint64_t>(span), 400);
    const auto expected = all_alone(model, asks);
    const int64_t page = KvPages(model.plan).page_bytes();
    for (const int threads : {1, 2, 4}) {
      const BatcherStats s =
          ask_at_random(model, {.slots = 8, .kv_bytes = page * 100}, threads, asks, expected);
      EXPECT_GT(s.reused_tokens, 1000u);
    }
  }
}

// Memory for few: the youngest leaves and comes back.
TEST(Batcher, EachGetsWhatItGetsAloneWhereMemoryIsShort) {
  for (const int64_t span : {int64_t{100}, int64_t{500}}) {
    const ToyModel model(span, 500, 32, 16);
    const auto asks = some_asks(64, 5, 60, 300);
    const auto expected = all_alone(model, asks);
    const KvPages pages(model.plan);
    for (const double share : {0.0, 0.5, 1.0}) {
      const BatcherStats s = ask_at_random(
          model, {.slots = 8, .kv_bytes = pages.bytes(500) * 2, .prefill_share = share}, 2, asks, expected);
      EXPECT_LE(s.kept_bytes, s.most_bytes);
    }
    ask_at_random(model, {.slots = 8, .kv_bytes = pages.bytes(500)}, 1, asks, expected);
  }
}

// Everything is asked twice, so that there is something to guess from, and a drafter that must guess is often
// wrong.
std::vector<Ask> twice(std::vector<Ask> asks) {
  const std::vector<Ask> again = asks;
  asks.insert(asks.end(), again.begin(), again.end());
  return asks;
}

TEST(Batcher, GuessesChangeNothing) {
  for (const int64_t span : {int64_t{10}, int64_t{100}, int64_t{500}}) {
    const ToyModel model(span, 500, 32, 16);
    const auto asks = twice(some_asks(64, static_cast<uint64_t>(span), 200));
    const auto expected = all_alone(model, asks);
    const KvPages pages(model.plan);
    for (const int threads : {1, 2, 4}) {
      for (const size_t least : {size_t{0}, size_t{2}}) {
        Drafter drafter(8, least);
        const BatcherStats s =
            ask_at_random(model, {.slots = 8, .kv_bytes = pages.page_bytes() * 100, .drafter = &drafter},
                          threads, asks, expected);
        EXPECT_GT(s.accepted_tokens, 100u);
        EXPECT_GT(s.drafted_tokens, s.accepted_tokens);
        EXPECT_GT(s.reused_tokens, 1000u);
      }
    }
    Drafter drafter(8, 2);
    const BatcherStats s = ask_at_random(
        model, {.slots = 8, .kv_bytes = pages.bytes(500), .prefill_share = 0, .drafter = &drafter}, 1, asks,
        expected);
    EXPECT_GT(s.accepted_tokens, 0u) << "where memory is short";
  }
}

TEST(Batcher, GuessesStayOnTheirSideOfTheBorder) {
  const ToyModel model(100, 500, 32, 16, 150);
  const auto asks = twice(some_asks(32, 3, 200));
  const auto expected = all_alone(model, asks);
  Drafter drafter(8, 4);
  const int64_t page = KvPages(model.plan).page_bytes();
  EXPECT_GT(ask_at_random(model, {.slots = 8, .kv_bytes = page * 64, .drafter = &drafter}, 2, asks, expected)
                .accepted_tokens,
            0u);
}

// Half of the steps are saved where the same is asked again, and memory for a guess is counted.
TEST(Batcher, WhatWasSaidBeforeIsGuessed) {
  const ToyModel model(100, 500, 32, 16);
  for (const int64_t pages : {3, 100}) {
    Drafter drafter(8, 8);
    Running running(model,
                    {.slots = 2, .kv_bytes = KvPages(model.plan).page_bytes() * pages, .drafter = &drafter});
    const auto steps = [&] {
      const uint64_t before = running.batcher.stats().steps;
      Heard heard;
      running.batcher.submit(heard.request(some_tokens(20), {.max_tokens = 100}));
      heard.wait_for_end();
      EXPECT_EQ(heard.generated.ids, generate(*model.session(), some_tokens(20), {.max_tokens = 100}).ids);
      const BatcherStats s = running.batcher.stats();
      EXPECT_LE(s.sequence_bytes + s.kept_bytes, s.most_bytes);
      return s.steps - before;
    };
    EXPECT_GT(steps(), 90U);
    EXPECT_LT(steps(), 40U);
  }
}

TEST(Batcher, EachCrossesTheBorderForItself) {
  for (const int64_t span : {int64_t{100}, int64_t{500}}) {
    const ToyModel model(span, 500, 32, 16, 150);
    const auto asks = some_asks(64, 3, 200);
    const auto expected = all_alone(model, asks);
    const int64_t page = KvPages(model.plan).page_bytes();
    EXPECT_GT(ask_at_random(model, {.slots = 8, .kv_bytes = page * 64}, 2, asks, expected).reused_tokens, 0u);
    ask_at_random(model, {.slots = 8, .kv_bytes = page * 9}, 1, asks, expected);
  }
}

TEST(Batcher, PromptsThatBeginAlikeAreFedOnceByPages) {
  for (const int64_t span : {int64_t{10}, int64_t{100}, int64_t{500}}) {
    const ToyModel model(span, 500, 32, 16);
    Running running(model, {.slots = 4, .kv_bytes = 1 << 24});
    const auto reused = [&](const std::vector<int32_t>& prompt) {
      Heard heard;
      running.batcher.submit(heard.request(prompt, {.max_tokens = 3}));
      heard.wait_for_end();
      EXPECT_EQ(heard.generated.ids, generate(*model.session(), prompt, {.max_tokens = 3}).ids);
      return heard.reused;
    };
    std::vector<int32_t> prompt = some_tokens(200);
    EXPECT_EQ(reused(prompt), 0);
    EXPECT_EQ(reused(prompt), 192);
    EXPECT_EQ(reused(some_tokens(192)), 128) << "the last token's logits are wanted";
    EXPECT_EQ(reused(some_tokens(64)), 0);
    prompt[130] = 49 - prompt[130];
    EXPECT_EQ(reused(prompt), 128);
    EXPECT_EQ(reused(prompt), 192);
    prompt[0] = 49 - prompt[0];
    EXPECT_EQ(reused(prompt), 0);
    EXPECT_EQ(running.batcher.stats().reused_tokens, 192u + 128 + 128 + 192);
  }
}

// A chat: what was answered is part of the next prompt.
TEST(Batcher, AnAnswerIsReusedToo) {
  const ToyModel model(100, 500, 32, 16);
  Running running(model, {.slots = 2, .kv_bytes = 1 << 24});
  Heard first, second;
  running.batcher.submit(first.request(some_tokens(100), {.max_tokens = 100}));
  first.wait_for_end();
  std::vector<int32_t> prompt = some_tokens(100);
  prompt.insert(prompt.end(), first.generated.ids.begin(), first.generated.ids.end());
  prompt.push_back(1);
  running.batcher.submit(second.request(prompt, {.max_tokens = 1}));
  second.wait_for_end();
  EXPECT_EQ(second.reused, 192);
}

// Texts that go on until they are told to end, each token when it is let.
class Held {
 public:
  explicit Held(Heard& heard) {
    heard.on_token = [this] {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return allowed_ > 0; });
      --allowed_;
      return true;
    };
  }
  void allow(int64_t tokens) {
    const std::lock_guard lock(mutex_);
    allowed_ = tokens;
    wake_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  int64_t allowed_ = 0;
};

constexpr int64_t kForever = 1 << 30;

TEST(Batcher, CancelledAtRandomNothingIsLeft) {
  const ToyModel model(100, 500, 32, 16);
  const auto asks = some_asks(200, 9, 400);
  Running running(model, {.slots = 6, .queue = 300, .kv_bytes = KvPages(model.plan).page_bytes() * 20},
                  {.threads = 2, .scheduler = "flow-graph"});
  std::vector<Heard> heard(asks.size());
  std::vector<std::thread> clients;
  for (size_t c = 0; c < 4; ++c) {
    clients.emplace_back([&, c] {
      Random random(c);
      for (size_t i = c; i < asks.size(); i += 4) {
        const uint64_t id = running.batcher.submit(heard[i].request(asks[i].prompt, asks[i].options));
        ASSERT_NE(id, 0u);
        heard[i].wait_for(random.below(6));
        if (random.below(4) > 0) running.batcher.cancel(id);
        if (random.below(2) > 0) running.batcher.cancel(id + random.below(3));
      }
    });
  }
  for (auto& c : clients) c.join();
  size_t cancelled = 0;
  for (size_t i = 0; i < asks.size(); ++i) {
    heard[i].wait_for_end();
    EXPECT_EQ(heard[i].error, "");
    EXPECT_EQ(heard[i].generated.ids.size(), heard[i].choices.size());
    const auto right = generate(*model.session(), asks[i].prompt, asks[i].options).ids;
    const auto& ids = heard[i].generated.ids;
    ASSERT_LE(ids.size(), right.size());
    EXPECT_TRUE(std::equal(ids.begin(), ids.end(), right.begin())) << "what came of it is right";
    cancelled += heard[i].generated.reason == StopReason::callback ? 1 : 0;
  }
  EXPECT_GT(cancelled, asks.size() / 4);
  // As good as new.
  std::vector<Heard> again(6);
  for (size_t i = 0; i < again.size(); ++i)
    running.batcher.submit(again[i].request(asks[i].prompt, asks[i].options));
  for (size_t i = 0; i < again.size(); ++i) {
    again[i].wait_for_end();
    EXPECT_EQ(again[i].generated.ids, generate(*model.session(), asks[i].prompt, asks[i].options).ids);
  }
  running.finish(milliseconds(0));
  expect_nothing_left(running);
  const BatcherStats s = running.batcher.stats();
  EXPECT_LE(s.kept_bytes, s.most_bytes);
  EXPECT_EQ(s.requests, 206u);
}

// Both begin, but there is memory for one to the end.
TEST(Batcher, TheYoungestGivesUpItsMemoryAndComesBack) {
  for (const int64_t border : {0, 200}) {
    const ToyModel model(500, 500, 32, 16, border);
    Running running(model, {.slots = 3, .kv_bytes = KvPages(model.plan).bytes(500)});
    std::vector<Heard> heard(3);
    Held held(heard[0]);
    const GenerateOptions options{.max_tokens = 400, .sampler = {.temperature = 1, .seed = 3}};
    const auto prompt = [](size_t i) { return std::vector<int32_t>(70, static_cast<int32_t>(i)); };
    running.batcher.submit(heard[0].request(prompt(0), options));
    held.allow(1);
    heard[0].wait_for(2);
    for (size_t i = 1; i < 3; ++i) running.batcher.submit(heard[i].request(prompt(i), options));
    held.allow(kForever);
    for (size_t i = 0; i < 3; ++i) {
      heard[i].wait_for_end();
      EXPECT_EQ(heard[i].generated.ids, generate(*model.session(), prompt(i), options).ids);
    }
    EXPECT_GT(running.batcher.stats().preempted, 0u);
  }
}

TEST(Batcher, ACancelledTextLeavesWithinOneStep) {
  const ToyModel model(10, 500, 32, 16);
  Running running(model, {.slots = 1});
  Heard heard, waits, unknown;
  Held held(heard);
  const uint64_t id = running.batcher.submit(heard.request({1}, {.max_tokens = kForever}));
  held.allow(1);
  heard.wait_for(2);  // in the callback of the second
  const uint64_t waiting = running.batcher.submit(waits.request({2}, {}));
  running.batcher.cancel(waiting);
  running.batcher.cancel(id);
  running.batcher.cancel(waiting + 100);
  held.allow(kForever);
  heard.wait_for_end();
  waits.wait_for_end();
  EXPECT_EQ(heard.generated.ids.size(), 2u);
  EXPECT_EQ(heard.generated.reason, StopReason::callback);
  EXPECT_EQ(waits.generated.reason, StopReason::callback);
  EXPECT_EQ(waits.reused, -1) << "it was never fed";
}

TEST(Batcher, ADeadlineHoldsForThoseThatWaitAndThoseThatRun) {
  const ToyModel model(10, 500, 32, 16);
  Running running(model, {.slots = 1});
  Heard runs, waits, late;
  Held held(runs);
  running.batcher.submit(runs.request({1}, {.max_tokens = kForever, .seconds = 0.05}));
  running.batcher.submit(waits.request({2}, {.seconds = 0.001}));
  std::this_thread::sleep_for(milliseconds(60));
  EXPECT_FALSE(runs.ended());
  held.allow(kForever);
  runs.wait_for_end();
  waits.wait_for_end();
  EXPECT_EQ(runs.generated.reason, StopReason::timeout);
  EXPECT_EQ(runs.generated.ids.size(), 1u);
  EXPECT_EQ(waits.generated.reason, StopReason::timeout);
  EXPECT_TRUE(waits.generated.ids.empty());
  running.batcher.submit(late.request({3}, {.max_tokens = 4, .seconds = 100}));
  late.wait_for_end();
  EXPECT_EQ(late.generated.reason, StopReason::max_tokens);
}

TEST(Batcher, StopLetsWhatRunsEndWithinTheGrace) {
  const ToyModel model(10, 500, 32, 16);
  for (const bool enough : {true, false}) {
    Running running(model, {.slots = 2});
    Heard one, two, waits, refused;
    Held held(one);
    running.batcher.submit(one.request({1}, {.max_tokens = enough ? 30 : kForever}));
    running.batcher.submit(two.request({2}, {.max_tokens = 1}));
    held.allow(5);
    one.wait_for(6);
    Heard filler;
    running.batcher.submit(filler.request({4}, {.max_tokens = kForever}));
    running.batcher.submit(waits.request({3}, {}));
    running.batcher.stop(milliseconds(enough ? 60000 : 0));
    EXPECT_EQ(running.batcher.submit(refused.request({4}, {})), 0u);
    held.allow(kForever);
    one.wait_for_end();
    waits.wait_for_end();
    running.finish(milliseconds(0));
    EXPECT_EQ(one.generated.reason, enough ? StopReason::max_tokens : StopReason::interrupted);
    EXPECT_EQ(two.generated.reason, StopReason::max_tokens);
    EXPECT_EQ(waits.generated.reason, StopReason::interrupted);
    EXPECT_FALSE(refused.ended());
    expect_nothing_left(running);
  }
}

TEST(Batcher, TheSessionsStopFlagEndsAll) {
  const ToyModel model(10, 500, 32, 16);
  std::atomic<bool> stop{false};
  Running running(model, {.slots = 1}, {.threads = 1, .stop = &stop});
  Heard runs, waits;
  runs.on_token = [&] {
    stop = runs.choices.size() == 3;
    return true;
  };
  running.batcher.submit(runs.request({1}, {.max_tokens = kForever}));
  running.batcher.submit(waits.request({2}, {}));
  runs.wait_for_end();
  waits.wait_for_end();
  EXPECT_EQ(runs.generated.reason, StopReason::interrupted);
  EXPECT_EQ(runs.generated.ids.size(), 3u);
  EXPECT_EQ(waits.generated.reason, StopReason::interrupted);
}

TEST(Batcher, TheQueueIsBoundedAndInOrder) {
  const ToyModel model(10, 500, 32, 16);
  Running running(model, {.slots = 1, .queue = 3});
  std::vector<Heard> heard(5);
  Held held(heard[0]);
  std::vector<size_t> order;
  for (size_t i = 0; i < heard.size(); ++i) {
    auto request = heard[i].request({static_cast<int32_t>(i)}, {.max_tokens = 2});
    request.on_end = [&order, i, told = request.on_end](const Generated& g, const std::string& e) {
      order.push_back(i);
      told(g, e);
    };
    EXPECT_EQ(running.batcher.submit(std::move(request)), i < 4 ? i + 1 : 0);
  }
  const BatcherStats s = running.batcher.stats();
  EXPECT_EQ(s.running + s.waiting, 4);
  held.allow(kForever);
  heard[3].wait_for_end();
  running.finish(milliseconds(0));
  EXPECT_EQ(order, (std::vector<size_t>{0, 1, 2, 3}));
}

TEST(Batcher, ACallbackMaySubmitAndCancel) {
  const ToyModel model(10, 500, 32, 16);
  Running running(model, {.slots = 1, .queue = 0});
  std::vector<Heard> heard(20);
  std::function<void(size_t)> submit = [&](size_t i) {
    auto request = heard[i].request({1}, {.max_tokens = 3});
    request.on_end = [&, i, told = request.on_end](const Generated& g, const std::string& e) {
      if (i + 1 < heard.size()) submit(i + 1);
      told(g, e);
    };
    EXPECT_EQ(running.batcher.submit(std::move(request)), i + 1);
  };
  submit(0);
  heard.back().wait_for_end();
}

// One text's logits are made impossible; the others do not notice.
TEST(Batcher, AnErrorIsOfItsTextAlone) {
  const ToyModel model(10, 500, 32, 16);
  Running running(model, {.slots = 3});
  GenerateOptions nothing{.max_tokens = 20};
  for (int32_t i = 0; i < ToyModel::kVocab; ++i)
    nothing.sampler.logit_bias[i] = -std::numeric_limits<double>::infinity();
  Heard good, bad;
  running.batcher.submit(good.request(some_tokens(90), {.max_tokens = 40}));
  running.batcher.submit(bad.request(some_tokens(9), nothing));
  good.wait_for_end();
  bad.wait_for_end();
  EXPECT_EQ(good.error, "");
  EXPECT_EQ(good.generated.ids, generate(*model.session(), some_tokens(90), {.max_tokens = 40}).ids);
  EXPECT_NE(bad.error, "");
}

TEST(Batcher, WhatCanNeverBeServedIsRefused) {
  const ToyModel model(500, 500, 32, 16);
  const auto session = model.session();
  const int64_t page = KvPages(model.plan).page_bytes();
  Batcher batcher(*session, {.kv_bytes = page * 3});
  EXPECT_EQ(batcher.context(), 192);
  const auto submit = [&](const std::vector<int32_t>& prompt, const GenerateOptions& options = {},
                          int64_t top = -1) {
    return message([&] { batcher.submit({.prompt = prompt, .options = options, .top_logprobs = top}); });
  };
  EXPECT_NE(submit(some_tokens(501)).find("the context holds 500"), std::string::npos);
  EXPECT_NE(submit(some_tokens(193)).find("193 tokens, but the KV memory holds 192"), std::string::npos);
  EXPECT_NE(submit({50}).find("token 50"), std::string::npos);
  EXPECT_NE(submit({}).find("the prompt is empty"), std::string::npos);
  EXPECT_NE(submit({1}, {.seconds = -1}).find("time limit"), std::string::npos);
  EXPECT_NE(submit({1}, {}, 51).find("no 51 likeliest"), std::string::npos);
  EXPECT_EQ(submit({1}), "accepted");
  const auto make = [&](const BatcherOptions& options) {
    return message([&] { const Batcher b(*session, options); });
  };
  EXPECT_EQ(make({.slots = 17}), "a batch may hold 1 to 16 texts at a time, not 17");
  EXPECT_NE(make({.queue = -1}).find("the queue"), std::string::npos);
  EXPECT_NE(make({.prefill_share = 1.5}).find("0 to 1"), std::string::npos);
  EXPECT_NE(make({.kv_bytes = page - 1}).find("less than"), std::string::npos);
  EXPECT_NE(make({.kv_bytes = -1}).find("or more bytes"), std::string::npos);
}

// A text that outgrows the memory ends as in a context of that size.
TEST(Batcher, MemoryForLessThanTheContextIsTheContext) {
  const ToyModel model(500, 500, 32, 16);
  Running running(model, {.slots = 4, .kv_bytes = KvPages(model.plan).page_bytes() * 2});
  Heard heard;
  running.batcher.submit(heard.request(some_tokens(100), {.max_tokens = kForever}));
  heard.wait_for_end();
  EXPECT_EQ(heard.generated.reason, StopReason::context);
  EXPECT_EQ(heard.generated.ids.size(), 29u);
  auto right = generate(*model.session(), some_tokens(100), {.max_tokens = 29}).ids;
  EXPECT_EQ(heard.generated.ids, right);
}

TEST(Batcher, SleepsWhereThereIsNothingToDo) {
  const ToyModel model(10, 500, 32, 16);
  Running running(model, {.slots = 1});
  Heard heard;
  running.batcher.submit(heard.request({1}, {.max_tokens = 3}));
  heard.wait_for_end();
  const std::clock_t begin = std::clock();
  std::this_thread::sleep_for(milliseconds(100));
  EXPECT_LT(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC, 0.05);
}

}  // namespace
}  // namespace lmc
