// Requests that come and go: each gets the ids and the logprobs it gets alone, whatever was reused of others
// and however often its memory went to older ones.
#include "runtime/serving/batcher.h"

#include <gtest/gtest.h>

#include <thread>

#include "compiled_model.h"
#include "golden_folder.h"
#include "runtime/generate.h"
#include "runtime/random.h"
#include "runtime/serving/kv_pages.h"
#include "runtime/serving/logprobs.h"

namespace lmc {
namespace {

struct Ask {
  std::vector<int32_t> prompt;
  GenerateOptions options;
};

// Two thirds begin like another of any length, so most of those share pages.
std::vector<Ask> asks_for(const Plan& plan, size_t count) {
  Random random(7);
  std::vector<Ask> out;
  for (size_t i = 0; i < count; ++i) {
    Ask& ask = out.emplace_back();
    const int64_t longest = std::min<int64_t>(plan.context - 8, 300);
    const auto length = static_cast<size_t>(1 + random.below(static_cast<uint64_t>(longest)));
    for (size_t t = 0; t < length; ++t)
      ask.prompt.push_back(static_cast<int32_t>((t * t * 31 + 7 * t) % static_cast<size_t>(plan.vocab)));
    if (i % 3 == 0) {
      ask.prompt[random.below(length)] =
          static_cast<int32_t>(random.below(static_cast<uint64_t>(plan.vocab)));
    }
    ask.options.max_tokens = static_cast<int64_t>(1 + random.below(12));
    if (i % 2 == 0) ask.options.sampler = {.temperature = 0.9, .top_p = 0.95, .seed = i};
  }
  return out;
}

using Choices = std::vector<TokenChoice>;

Choices alone(Session& session, const Ask& ask) {
  session.reset();
  std::vector<int32_t> ids = generate(session, ask.prompt, ask.options).ids;
  session.reset();
  Choices out;
  std::vector<int32_t> fresh = ask.prompt;
  for (const int32_t id : ids) {
    out.push_back(choice_of(id, session.step(fresh), 3));
    fresh = {id};
  }
  return out;
}

class BatcherGolden : public testing::TestWithParam<std::string> {};

TEST_P(BatcherGolden, each_gets_what_it_gets_alone) {
  const std::string name = GetParam();
  Model m = load_model(name.find('/') == std::string::npos ? golden_folder() + "/" + name
                                                           : std::string(LMC_SOURCE_DIR) + "/" + name,
                       {});
  const Compiled c = compile(m, "q8_0", 32, "native", name == "models/tiny/gemma3.yaml" ? "q8_0" : "");
  const auto asks = asks_for(c.code.plan, 64);
  std::vector<Choices> expected;
  {
    const auto session = c.session({.threads = 1});
    for (const Ask& a : asks) expected.push_back(alone(*session, a));
  }
  const KvPages pages(c.code.plan);
  const int64_t text = pages.bytes(c.code.plan.context);
  struct Way {
    int threads;
    int64_t kv_bytes;
  };
  for (const Way way : {Way{1, 16 * text}, Way{2, 3 * text / 2}, Way{4, text + 3 * pages.page_bytes()}}) {
    SCOPED_TRACE(std::to_string(way.threads) + " threads");
    const auto session = c.session({.threads = way.threads, .scheduler = "flow-graph"});
    Batcher batcher(*session, {.slots = 8, .queue = 64, .kv_bytes = way.kv_bytes});
    std::vector<Choices> got(asks.size());
    std::atomic<size_t> ended{0};
    std::thread steps([&] { batcher.run(); });
    for (size_t i = 0; i < asks.size(); ++i) {
      AnswerRequest request{.prompt = asks[i].prompt, .options = asks[i].options, .top_logprobs = 3};
      request.on_token = [&, i](const TokenChoice& choice) {
        got[i].push_back(choice);
        return true;
      };
      request.on_end = [&](const Generated&, const std::string& error) {
        EXPECT_EQ(error, "");
        ++ended;
        ended.notify_all();
      };
      EXPECT_NE(batcher.submit(std::move(request)), 0u);
      if (i % 16 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    for (size_t n = ended; n < asks.size(); n = ended) ended.wait(n);
    batcher.stop(std::chrono::milliseconds(0));
    steps.join();
    for (size_t i = 0; i < asks.size(); ++i) {
      ASSERT_EQ(got[i].size(), expected[i].size()) << "request " << i;
      for (size_t t = 0; t < got[i].size(); ++t) {
        EXPECT_EQ(got[i][t].id, expected[i][t].id) << "request " << i << ", token " << t;
        EXPECT_EQ(got[i][t].logprob, expected[i][t].logprob);
        for (size_t k = 0; k < 3; ++k) EXPECT_EQ(got[i][t].top[k].logprob, expected[i][t].top[k].logprob);
      }
    }
    const bool room = way.kv_bytes > 2 * text && c.code.plan.context > 2 * kCachePage;
    EXPECT_TRUE(!room || batcher.stats().reused_tokens > 0);
  }
}

// Windows and int8 caches, windows alone, all positions, rope factors that change with the length,
// convolutions, recurrent states.
INSTANTIATE_TEST_SUITE_P(All, BatcherGolden,
                         testing::Values("models/tiny/gemma3.yaml", "gemma3-a", "models/tiny/gpt2.yaml",
                                         "mistral-a", "phi3-long", "lfm2-a", "granite4h-b"),
                         [](const testing::TestParamInfo<std::string>& info) {
                           std::string name = info.param;
                           std::replace_if(
                               name.begin(), name.end(), [](char c) { return !std::isalnum(c); }, '_');
                           return name;
                         });

}  // namespace
}  // namespace lmc
