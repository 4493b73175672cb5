// Tokens from what ranks tell of their parts of the logits: those that all logits in one place would give.
#include "runtime/logit_answers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <numeric>
#include <thread>

#include "runtime/id_set.h"
#include "runtime/sampler.h"
#include "runtime/thread_ranks.h"
#include "tests/unit/error_of.h"

namespace lmc::asked {
namespace {

// The ranks have so many ids each; some may have none.
class Ranks {
 public:
  Ranks(const std::vector<int64_t>& ids, std::vector<float> logits)
      : ranks_(static_cast<int64_t>(ids.size())),
        vocab_(std::accumulate(ids.begin(), ids.end(), int64_t{0})) {
    int64_t first = 0;
    for (size_t r = 0; r < ids.size(); ++r) {
      PlanGather gather{{}, static_cast<int64_t>(r), vocab_ * 4, {0}};
      for (const int64_t n : ids) gather.bytes.push_back(n * 4);
      gathers_.push_back(gather);
      // What a rank does not have is not to be looked at.
      std::vector<float>& own = parts_.emplace_back(logits.size(), 1e30f);
      for (size_t at = static_cast<size_t>(first); at < logits.size(); at += static_cast<size_t>(vocab_))
        std::copy_n(logits.begin() + static_cast<ptrdiff_t>(at), ids[r],
                    own.begin() + static_cast<ptrdiff_t>(at));
      first += ids[r];
    }
    for (size_t r = 0; r < ids.size(); ++r)
      answers_.push_back(std::make_unique<LogitAnswers>(ranks_.rank(static_cast<int64_t>(r)), gathers_[r]));
  }

  template <class F>  // of a rank; what it gives on rank 0
  auto together(const F& f) {
    std::vector<std::thread> others;
    for (size_t r = 1; r < parts_.size(); ++r) others.emplace_back([&, r] { f(r); });
    const auto out = f(size_t{0});
    for (std::thread& t : others) t.join();
    return out;
  }

  std::vector<SomeLogits> ask(const std::vector<LogitRequest>& requests) {
    return together([&](size_t r) { return answers_[r]->answer(requests, parts_[r].data()); });
  }
  int32_t draw(const LogitDraw& d) {
    return together([&](size_t r) { return answers_[r]->draw(d, parts_[r].data()); });
  }

 private:
  ThreadRanks ranks_;
  int64_t vocab_;
  std::vector<PlanGather> gathers_;
  std::vector<std::vector<float>> parts_;  // by rank
  std::vector<std::unique_ptr<LogitAnswers>> answers_;
};

std::vector<float> noise(size_t n, uint64_t seed, double width) {
  Random random(seed);
  std::vector<float> out(n);
  for (float& x : out) x = static_cast<float>(std::round(random.uniform() * 200) / 200 * width);  // many ties
  return out;
}

struct Count {
  int certain = 0, all = 0;
};

// Some tokens in a row; the sampler that sees all logits takes the same ones, also behind one that was not
// certain.
Count compare(const SamplerOptions& options, const std::vector<int64_t>& ids, double width,
              const IdSet* allowed = nullptr) {
  const auto vocab = static_cast<size_t>(std::accumulate(ids.begin(), ids.end(), int64_t{0}));
  Sampler whole(options), parts(options);
  std::vector<int32_t> sequence = {3, 7, 7};
  Count out;
  for (uint64_t step = 0; step < 12; ++step) {
    std::vector<float> logits = noise(vocab, 100 + step, width);
    Ranks ranks(ids, logits);
    LogitRequest request = parts.request(static_cast<int64_t>(vocab), sequence, sequence.size() - 3);
    if (allowed) {
      request.allowed.assign(allowed->bits(), allowed->bits() + (vocab + 7) / 8);
      allowed->restrict(logits);
    }
    const std::vector<SomeLogits> some = ranks.ask({request});
    const auto where = [&](LogitDraw d) {
      d.allowed = request.allowed;
      return ranks.draw(d);
    };
    std::optional<int32_t> id = parts.sample(some[0], where, sequence, sequence.size() - 3);
    ++out.all;
    out.certain += id ? 1 : 0;
    if (!id) id = parts.sample(logits, sequence, sequence.size() - 3);
    const int32_t expected = whole.sample(logits, sequence, sequence.size() - 3);
    EXPECT_EQ(*id, expected) << "step " << step;
    sequence.push_back(expected);
  }
  return out;
}

const std::vector<std::vector<int64_t>> kDealt = {
    {500}, {250, 250}, {16, 484}, {0, 500}, {128, 128, 128, 116}};

TEST(LogitAnswers, tokens_of_every_kind_are_those_of_all_logits) {
  const std::vector<SamplerOptions> kinds = {
      {.logit_bias = {{3, 4.5}, {490, -HUGE_VAL}}},
      {.repetition_penalty = 1.5, .presence_penalty = 0.5, .logit_bias = {{7, 3}}},
      {.temperature = 1, .seed = 5},
      {.temperature = 0.3, .frequency_penalty = 0.7, .logit_bias = {{2, -HUGE_VAL}, {499, 2}}, .seed = 6},
      {.temperature = 0.8, .top_k = 20, .seed = 7},
      {.temperature = 1.2, .top_k = 40, .top_p = 0.9, .min_p = 0.05, .repetition_penalty = 1.2, .seed = 8},
      {.temperature = 1, .top_k = 499, .top_p = 0.5, .seed = 9},
      {.temperature = 0.9, .top_p = 0.6, .seed = 10},
      {.temperature = 0.9, .top_p = 0.8, .min_p = 0.1, .seed = 11},
      {.temperature = 1, .min_p = 0.2, .seed = 12},
      {.temperature = 1, .top_p = 0, .seed = 13}};
  for (size_t i = 0; i < kinds.size(); ++i) {
    for (const auto& ids : kDealt) {
      SCOPED_TRACE("kind " + std::to_string(i) + ", " + std::to_string(ids.size()) + " ranks");
      const Count c = compare(kinds[i], ids, 12);
      EXPECT_EQ(c.certain, c.all);
    }
  }
}

// A part is looked at in pieces of 2,048.
TEST(LogitAnswers, tokens_of_long_parts_are_those_of_all_logits) {
  IdSet allowed(7100);
  for (int64_t id = 1; id < 7100; id += 3) allowed.add(id);
  for (const SamplerOptions& o :
       {SamplerOptions{}, SamplerOptions{.logit_bias = {{2047, 4}, {2048, 3.5}, {7099, 5}}},
        SamplerOptions{.temperature = 1, .top_k = 30, .frequency_penalty = 2, .seed = 2},
        SamplerOptions{.temperature = 1, .top_p = 0.3, .seed = 3},
        SamplerOptions{.temperature = 1, .seed = 4}}) {
    for (const IdSet* some : {static_cast<const IdSet*>(nullptr), static_cast<const IdSet*>(&allowed)}) {
      const Count c = compare(o, {3000, 4100}, 30, some);
      EXPECT_EQ(c.certain, c.all);
    }
  }
}

// Of a flat distribution more are needed than were asked for: that is found out.
TEST(LogitAnswers, what_cannot_be_told_from_some_is_not) {
  const Count c = compare({.temperature = 1, .top_p = 0.99, .seed = 3}, {2000, 2000}, 0.1);
  EXPECT_EQ(c.certain, 0);
}

TEST(LogitAnswers, only_allowed_ids_come) {
  IdSet allowed(500);
  for (const int64_t id : {1, 7, 99, 250, 251, 480}) allowed.add(id);
  for (const SamplerOptions& o : {SamplerOptions{}, SamplerOptions{.temperature = 1, .seed = 4},
                                  SamplerOptions{.temperature = 1, .top_k = 10, .seed = 4},
                                  SamplerOptions{.temperature = 1, .top_p = 0.7, .seed = 4}}) {
    for (const auto& ids : kDealt) {
      const Count c = compare(o, ids, 6, &allowed);
      EXPECT_EQ(c.certain, c.all);
    }
  }
}

TEST(LogitAnswers, logits_that_are_no_distribution_are_refused_as_all_are) {
  std::vector<float> logits = noise(100, 1, 3);
  logits[70] = NAN;
  logits[90] = INFINITY;
  Sampler sampler({.temperature = 1, .seed = 1});
  Ranks ranks({50, 50}, logits);
  const auto some = ranks.ask({sampler.request(100)});
  const auto where = [&](LogitDraw d) { return ranks.draw(d); };
  const std::string said = error_of([&] { sampler.sample(some[0], where); });
  EXPECT_EQ(said, error_of([&] { sampler.sample(logits); }));
  EXPECT_NE(said, "");
}

TEST(LogitAnswers, rows_are_answered_one_by_one) {
  std::vector<float> logits = noise(40, 2, 9);
  Ranks ranks({12, 8}, logits);
  const auto some = ranks.ask({LogitRequest(), LogitRequest()});
  for (size_t row : {0, 1})
    EXPECT_EQ(Sampler({}).sample(some[row], {}), greedy(std::span(logits).subspan(row * 20, 20)));
}

}  // namespace
}  // namespace lmc::asked
