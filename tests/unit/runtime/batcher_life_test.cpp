// Texts that come and go: who waits, who leaves, what ends them, and that nothing of them stays.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <ctime>
#include <limits>

#include "running_batcher.h"
#include "runtime/draft.h"
#include "runtime/serving/batcher.h"
#include "runtime/serving/kv_pages.h"

namespace lmc {
namespace {

using namespace test;

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
  uint64_t other = 0;
  runs.on_token = [&] {  // the other is submitted before all ends, whenever the thread below has its turn
    if (runs.choices.size() == 1) other = running.batcher.submit(waits.request({2}, {}));
    stop = runs.choices.size() == 3;
    return true;
  };
  running.batcher.submit(runs.request({1}, {.max_tokens = kForever}));
  runs.wait_for_end();
  ASSERT_NE(other, 0u);
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
