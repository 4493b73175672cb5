#include "runtime/generate_batch.h"

#include <gtest/gtest.h>

#include <map>

#include "runtime/draft.h"
#include "runtime/generate.h"
#include "toy_model.h"

namespace lmc {
namespace {

using test::message;
using test::some_tokens;
using test::ToyModel;

// Of very different lengths, and none begins as another.
std::vector<std::vector<int32_t>> some_prompts() {
  std::vector<std::vector<int32_t>> out;
  for (const size_t length : {1, 40, 2, 95, 7, 16, 17, 1, 33, 5, 64}) {
    out.push_back(some_tokens(length));
    out.back()[0] = static_cast<int32_t>(out.size());
  }
  return out;
}

using Ended = std::map<size_t, Generated>;

Ended batch(Session& session, const std::vector<std::vector<int32_t>>& prompts,
            const GenerateOptions& options, int64_t slots) {
  Ended out;
  BatchListener listener;
  listener.on_end = [&](size_t i, Generated g) { EXPECT_TRUE(out.emplace(i, std::move(g)).second); };
  EXPECT_TRUE(generate_batch(session, prompts, options, slots, listener));
  return out;
}

TEST(GenerateBatch, EachPromptGetsTheTokensItGetsAlone) {
  const ToyModel model(10, 120, 16, 16);
  const auto prompts = some_prompts();
  const std::vector<GenerateOptions> all = {
      {.max_tokens = 40},
      {.max_tokens = 60, .stop_ids = {3, 9}},
      {.max_tokens = 30, .sampler = {.temperature = 1.5, .top_k = 20, .seed = 4}},
      {.max_tokens = 30, .sampler = {.repetition_penalty = 1.5}}};
  for (const GenerateOptions& options : all) {
    std::vector<Generated> alone;
    for (const auto& p : prompts) alone.push_back(generate(*model.session(), p, options));
    for (const int threads : {1, 2}) {
      for (const int64_t slots : {1, 2, 3, 8, 16}) {
        const auto session = model.session({.threads = threads, .scheduler = "flow-graph"});
        const Ended ended = batch(*session, prompts, options, slots);
        ASSERT_EQ(ended.size(), prompts.size());
        for (const auto& [i, g] : ended) {
          EXPECT_EQ(g.ids, alone[i].ids) << "prompt " << i << ", " << slots << " slots";
          EXPECT_EQ(g.reason, alone[i].reason);
        }
        EXPECT_EQ(session->position(), 0) << "the session's own sequence";
      }
    }
  }
}

TEST(GenerateBatch, GuessesChangeNothing) {
  const ToyModel model(10, 120, 16, 16);
  auto prompts = some_prompts();
  for (const auto& again : some_prompts()) prompts.push_back(again);
  for (const double temperature : {0.0, 1.5}) {
    GenerateOptions options{.max_tokens = 40, .sampler = {.temperature = temperature, .seed = 4}};
    const Ended alone = batch(*model.session(), prompts, options, 1);
    Drafter drafter(6);
    options.drafter = &drafter;
    int64_t accepted = 0;
    for (const auto& [i, g] : batch(*model.session(), prompts, options, 4)) {
      EXPECT_EQ(g.ids, alone.at(i).ids) << "prompt " << i;
      accepted += g.accepted;
    }
    EXPECT_GT(accepted, 0);
  }
}

// Texts on both sides of the border of the rope factors, and crossing it.
TEST(GenerateBatch, EachPromptCrossesTheBorderForItself) {
  const ToyModel model(10, 120, 16, 16, 45);
  const auto prompts = some_prompts();
  const GenerateOptions options{.max_tokens = 40};
  for (const int64_t slots : {1, 3, 8}) {
    for (const auto& [i, g] : batch(*model.session(), prompts, options, slots))
      EXPECT_EQ(g.ids, generate(*model.session(), prompts[i], options).ids) << "prompt " << i;
  }
}

TEST(GenerateBatch, ACallbackEndsItsPromptAndNoOther) {
  const ToyModel model(10, 120, 16, 16);
  const auto prompts = some_prompts();
  std::map<size_t, std::vector<int32_t>> seen;
  Ended ended;
  BatchListener listener;
  listener.on_token = [&](size_t i, int32_t id) {
    seen[i].push_back(id);
    return seen[i].size() < i + 1;
  };
  listener.on_end = [&](size_t i, Generated g) { ended[i] = std::move(g); };
  EXPECT_TRUE(generate_batch(*model.session(), prompts, {.max_tokens = 12}, 4, listener));
  ASSERT_EQ(ended.size(), prompts.size());
  for (size_t i = 0; i < prompts.size(); ++i) {
    EXPECT_EQ(ended[i].ids.size(), i + 1);
    EXPECT_EQ(ended[i].reason, StopReason::callback);
    EXPECT_EQ(ended[i].ids, seen[i]);
  }
}

TEST(GenerateBatch, TheStopFlagLeavesTheRestWithoutAnEnd) {
  const ToyModel model(10, 120, 16, 16);
  for (const int64_t slots : {1, 3}) {
    std::atomic<bool> stop{false};
    const auto session = model.session({.threads = 1, .stop = &stop});
    size_t ends = 0;
    BatchListener listener;
    listener.on_end = [&](size_t, const Generated&) { stop = ++ends >= 2; };
    EXPECT_FALSE(generate_batch(*session, some_prompts(), {.max_tokens = 5}, slots, listener));
    EXPECT_GE(ends, 2u);
    EXPECT_LT(ends, some_prompts().size());
    stop = true;
    EXPECT_FALSE(generate_batch(*session, some_prompts(), {}, slots, {}));
  }
}

TEST(GenerateBatch, APromptMayHaveANumberOfTokensOfItsOwnAndLogprobs) {
  const ToyModel model(10, 120, 16, 16);
  const auto prompts = some_prompts();
  BatchDetails details{.max_tokens = {}, .top_logprobs = 3};
  for (size_t i = 0; i < prompts.size(); ++i) details.max_tokens.push_back(static_cast<int64_t>(i));
  const Ended whole = batch(*model.session(), prompts, {.max_tokens = 12}, 4);
  std::map<size_t, std::vector<TokenChoice>> choices;
  Ended ended;
  BatchListener listener;
  listener.on_choice = [&](size_t i, const TokenChoice& c) { choices[i].push_back(c); };
  listener.on_end = [&](size_t i, Generated g) { ended[i] = std::move(g); };
  EXPECT_TRUE(generate_batch(*model.session(), prompts, {.max_tokens = 12}, 4, listener, details));
  ASSERT_EQ(ended.size(), prompts.size());
  for (size_t i = 0; i < prompts.size(); ++i) {
    const std::vector<int32_t>& all = whole.at(i).ids;
    ASSERT_EQ(ended[i].ids.size(), std::min(i, all.size()));
    EXPECT_TRUE(std::equal(ended[i].ids.begin(), ended[i].ids.end(), all.begin()));
    ASSERT_EQ(choices[i].size(), ended[i].ids.size());
    for (size_t t = 0; t < choices[i].size(); ++t) {
      const TokenChoice& c = choices[i][t];
      EXPECT_EQ(c.id, ended[i].ids[t]);
      ASSERT_EQ(c.top.size(), 3u);
      EXPECT_EQ(c.top[0].id, c.id) << "greedy";
      EXPECT_EQ(c.top[0].logprob, c.logprob);
      EXPECT_GE(c.top[0].logprob, c.top[1].logprob);
    }
  }
}

TEST(GenerateBatch, WhatWasInTheMakingEndsAsInterrupted) {
  const ToyModel model(10, 120, 16, 16);
  std::atomic<bool> stop{false};
  const auto session = model.session({.threads = 1, .stop = &stop});
  size_t tokens = 0;
  std::vector<Generated> cut;
  BatchListener listener;
  listener.on_token = [&](size_t, int32_t) {
    stop = ++tokens >= 4;
    return true;
  };
  listener.on_end = [&](size_t, Generated g) { cut.push_back(std::move(g)); };
  EXPECT_FALSE(generate_batch(*session, some_prompts(), {.max_tokens = 50}, 2, listener));
  size_t made = 0;
  for (const Generated& g : cut) {
    EXPECT_EQ(g.reason, StopReason::interrupted);
    made += g.ids.size();
  }
  EXPECT_EQ(made, tokens);
}

TEST(GenerateBatch, ATimeLimitIsEachPromptsOwn) {
  const ToyModel model(10, 120, 16, 16);
  const auto session = model.session();
  for (const auto& [i, g] : batch(*session, some_prompts(), {.max_tokens = 50, .seconds = 1e-9}, 3)) {
    EXPECT_EQ(g.reason, StopReason::timeout) << i;
    EXPECT_TRUE(g.ids.empty());
  }
  EXPECT_FALSE(session->late());
  for (const auto& [i, g] : batch(*session, some_prompts(), {.max_tokens = 5, .seconds = 1e6}, 3))
    EXPECT_EQ(g.reason, StopReason::max_tokens) << i;
}

TEST(GenerateBatch, NoTokensAndNoPromptsAreNothing) {
  const ToyModel model(10, 120, 16, 16);
  const auto session = model.session();
  EXPECT_EQ(batch(*session, some_prompts(), {.max_tokens = 0}, 3).size(), some_prompts().size());
  EXPECT_TRUE(batch(*session, {}, {}, 3).empty());
}

TEST(GenerateBatch, MistakesAreNamed) {
  const ToyModel model(10, 120, 16, 8);
  const auto session = model.session();
  const auto run = [&](const std::vector<std::vector<int32_t>>& prompts, const GenerateOptions& options,
                       int64_t slots) {
    return message([&] { generate_batch(*session, prompts, options, slots, {}); });
  };
  EXPECT_EQ(run({{1}}, {}, 9), "a batch may hold 1 to 8 texts at a time, not 9");
  EXPECT_EQ(run({{1}}, {}, 0), "a batch may hold 1 to 8 texts at a time, not 0");
  EXPECT_NE(run({{1}, {}}, {}, 2).find("the prompt is empty"), std::string::npos);
  EXPECT_NE(run({{1}, {50}}, {.seconds = 100}, 2).find("token 50"), std::string::npos);
  EXPECT_FALSE(session->late()) << "no deadline is left behind";
  EXPECT_EQ(session->position(), 0);
  EXPECT_NE(message([&] { session->check_prompt(some_tokens(121)); }).find("121 tokens"), std::string::npos);
}

TEST(GenerateBatch, APlanWithoutPrefillTakesOneAtATime) {
  ToyModel model(10, 120, 16, 16);
  model.plan.prefill = {};
  const auto session = model.session();
  EXPECT_EQ(session->most_sequences(), 1);
  const auto prompts = some_prompts();
  for (const auto& [i, g] : batch(*session, prompts, {.max_tokens = 9}, 1))
    EXPECT_EQ(g.ids, generate(*model.session(), prompts[i], {.max_tokens = 9}).ids);
}

}  // namespace
}  // namespace lmc
