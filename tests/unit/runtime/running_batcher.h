// What the batcher's tests share: one that runs, what its requests hear, and what each would get alone.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/generate.h"
#include "runtime/random.h"
#include "runtime/serving/batcher.h"
#include "runtime/serving/logprobs.h"
#include "toy_model.h"

namespace lmc::test {

using std::chrono::milliseconds;

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
inline Alone alone(const ToyModel& model, const std::vector<int32_t>& prompt, const GenerateOptions& options,
                   int64_t top) {
  Alone out{generate(*model.session(), prompt, options), {}};
  std::vector<int32_t> text = prompt;
  for (const int32_t id : out.generated.ids) {
    out.choices.push_back(top < 0 ? TokenChoice{id} : choice_of(id, model.reference(text), top));
    text.push_back(id);
  }
  return out;
}

inline void expect_same(const TokenChoice& a, const TokenChoice& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.logprob, b.logprob);
  ASSERT_EQ(a.top.size(), b.top.size());
  for (size_t i = 0; i < a.top.size(); ++i) {
    EXPECT_EQ(a.top[i].id, b.top[i].id);
    EXPECT_EQ(a.top[i].logprob, b.top[i].logprob);
  }
}

inline void expect_same(const std::vector<TokenChoice>& a, const std::vector<TokenChoice>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) expect_same(a[i], b[i]);
}

inline void expect_nothing_left(const Running& r) {
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
inline std::vector<Ask> some_asks(size_t count, uint64_t seed, size_t longest, size_t most_made = 40) {
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
inline BatcherStats ask_at_random(const ToyModel& model, const BatcherOptions& options, int threads,
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

inline std::vector<Alone> all_alone(const ToyModel& model, const std::vector<Ask>& asks) {
  std::vector<Alone> out;
  for (const Ask& a : asks) out.push_back(alone(model, a.prompt, a.options, a.top));
  return out;
}

}  // namespace lmc::test
