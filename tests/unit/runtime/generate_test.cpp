#include "runtime/generate.h"

#include <gtest/gtest.h>

#include "ir/error.h"
#include "toy_model.h"

namespace lmc {
namespace {

using test::some_tokens;
using test::ToyModel;

// The greedy continuation by the reference.
std::vector<int32_t> continuation(const ToyModel& model, std::vector<int32_t> tokens, size_t n) {
  std::vector<int32_t> out;
  for (size_t i = 0; i < n; ++i) {
    out.push_back(greedy(model.reference(tokens)));
    tokens.push_back(out.back());
  }
  return out;
}

TEST(Generate, ContinuesGreedilyUntilTheMostTokens) {
  const ToyModel model(10, 200, 16, 16);
  const auto prompt = some_tokens(21);
  auto session = model.session();
  std::vector<int32_t> seen;
  const auto out = generate(*session, prompt, {.max_tokens = 40}, [&](int32_t id) {
    seen.push_back(id);
    return true;
  });
  EXPECT_EQ(out.ids, continuation(model, prompt, 40));
  EXPECT_EQ(seen, out.ids);
  EXPECT_EQ(out.reason, StopReason::max_tokens);
  EXPECT_EQ(session->position(), 21 + 39) << "the last token is not fed";
}

TEST(Generate, AStopIdEndsItAndIsTheLast) {
  const ToyModel model(10, 200, 16, 16);
  const auto prompt = some_tokens(21);
  auto ids = continuation(model, prompt, 40);
  const int32_t stop = ids[7];
  ids.resize(static_cast<size_t>(std::find(ids.begin(), ids.end(), stop) - ids.begin()) + 1);
  const auto out = generate(*model.session(), prompt, {.max_tokens = 40, .stop_ids = {stop}});
  EXPECT_EQ(out.ids, ids);
  EXPECT_EQ(out.reason, StopReason::stop_id);
}

TEST(Generate, StopsWhereTheContextEnds) {
  const ToyModel model(10, 30, 16, 16);
  const auto prompt = some_tokens(21);
  auto session = model.session();
  const auto out = generate(*session, prompt, {.max_tokens = 40});
  EXPECT_EQ(out.ids, continuation(model, prompt, 10));
  EXPECT_EQ(out.reason, StopReason::context);
  EXPECT_EQ(session->position(), 30);
}

TEST(Generate, TheCallbackAndTheStopFlagEndIt) {
  const ToyModel model(10, 200, 16, 16);
  int calls = 0;
  const auto told = generate(*model.session(), some_tokens(5), {}, [&](int32_t) { return ++calls < 3; });
  EXPECT_EQ(told.ids.size(), 3u);
  EXPECT_EQ(told.reason, StopReason::callback);
  std::atomic<bool> stop{false};
  auto session = model.session({.threads = 1, .stop = &stop});
  const auto interrupted = generate(*session, some_tokens(5), {}, [&](int32_t) { return stop = true; });
  EXPECT_EQ(interrupted.ids.size(), 1u);
  EXPECT_EQ(interrupted.reason, StopReason::interrupted);
}

TEST(Generate, SampledTokensDependOnTheSeedNotOnTheThreads) {
  const ToyModel model(10, 200, 16, 16);
  const auto run = [&](int threads, uint64_t seed) {
    const auto session = model.session({.threads = threads, .scheduler = "flow-graph"});
    const GenerateOptions options{.max_tokens = 60, .sampler = {.temperature = 2, .seed = seed}};
    return generate(*session, some_tokens(9), options).ids;
  };
  EXPECT_EQ(run(1, 1), run(4, 1));
  EXPECT_NE(run(1, 1), run(1, 2));
}

TEST(Generate, NothingIsFedForNoTokensAndAnEmptyPromptIsRefused) {
  const ToyModel model(10, 200, 16, 16);
  auto session = model.session();
  EXPECT_TRUE(generate(*session, some_tokens(5), {.max_tokens = 0}).ids.empty());
  EXPECT_EQ(session->position(), 0);
  EXPECT_THROW(generate(*session, {}, {}), Error);
}

}  // namespace
}  // namespace lmc
