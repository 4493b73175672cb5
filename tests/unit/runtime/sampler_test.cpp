#include "runtime/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "ir/error.h"

namespace lmc {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

std::vector<float> noise(size_t n, uint64_t seed) {
  Random random(seed);
  std::vector<float> out(n);
  for (float& x : out) x = static_cast<float>(random.uniform() * 8 - 4);
  return out;
}

std::vector<int> histogram(const std::vector<float>& logits, const SamplerOptions& options, int draws) {
  Sampler sampler(options);
  std::vector<int> out(logits.size());
  for (int i = 0; i < draws; ++i) ++out[static_cast<size_t>(sampler.sample(logits))];
  return out;
}

TEST(Sampler, GreedyTakesTheLowestIdOfEquals) {
  EXPECT_EQ(greedy(std::vector<float>{1, 3, 3, 2}), 1);
  EXPECT_EQ(greedy(std::vector<float>(100, -2.5f)), 0);
  for (const size_t n : {1u, 15u, 16u, 17u, 100u, 1000u}) {
    for (size_t at = 0; at < n; ++at) {
      std::vector<float> logits(n, -7);
      logits[at] = logits[n - 1] = -1;
      ASSERT_EQ(greedy(logits), static_cast<int32_t>(at));
    }
  }
}

TEST(Sampler, GreedyOverTilesTakesTheLowestIdOfEqualsAndRefusesWhatIsNoNumber) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float low = -std::numeric_limits<float>::infinity();
  EXPECT_EQ(greedy(std::vector<TileArgmax>{{1, 7}, {3, 12}, {3, 20}, {2, 31}}), 12);
  EXPECT_EQ(greedy(std::vector<TileArgmax>{{3, 20}, {3, 12}}), 12);
  EXPECT_EQ(greedy(std::vector<TileArgmax>{{low, 3}, {-9, 12}}), 12);
  EXPECT_THROW(greedy(std::vector<TileArgmax>{{1, 7}, {nan, 12}}), Error);
  EXPECT_THROW(greedy(std::vector<TileArgmax>{{low, 3}}), Error);
}

TEST(Sampler, OnlyGreedyWhereNothingElseDecides) {
  EXPECT_TRUE(Sampler({}).only_greedy());
  EXPECT_TRUE(Sampler({.temperature = 1, .top_k = 1}).only_greedy());
  EXPECT_FALSE(Sampler({.temperature = 1}).only_greedy());
  EXPECT_FALSE(Sampler({.repetition_penalty = 1.1}).only_greedy());
  EXPECT_FALSE(Sampler({.presence_penalty = 0.1}).only_greedy());
  EXPECT_FALSE(Sampler({.frequency_penalty = -0.1}).only_greedy());
  EXPECT_FALSE(Sampler({.logit_bias = {{3, 1.0}}}).only_greedy());
}

TEST(Sampler, TemperatureZeroAndTopOneAreGreedy) {
  Sampler cold({}), narrow({.temperature = 1, .top_k = 1}), nucleus({.temperature = 1, .top_p = 0});
  for (uint64_t i = 0; i < 50; ++i) {
    const auto logits = noise(300, i);
    const int32_t best = greedy(logits);
    EXPECT_EQ(cold.sample(logits), best);
    EXPECT_EQ(narrow.sample(logits), best);
    EXPECT_EQ(nucleus.sample(logits), best);
  }
}

TEST(Sampler, DrawsFollowTheSoftmaxAtTheTemperature) {
  const std::vector<float> logits = {0, 1, 2, -1, 0.5f};
  for (const double temperature : {0.5, 1.0, 2.0}) {
    constexpr int kDraws = 100000;
    const auto counts = histogram(logits, {.temperature = temperature, .seed = 7}, kDraws);
    double total = 0;
    for (const float l : logits) total += std::exp(l / temperature);
    for (size_t i = 0; i < logits.size(); ++i) {
      const double p = std::exp(logits[i] / temperature) / total;
      EXPECT_NEAR(counts[i] / double{kDraws}, p, 5 * std::sqrt(p * (1 - p) / kDraws)) << i;
    }
  }
}

TEST(Sampler, TopKKeepsTheLikeliestKAndAmongEqualsTheLowestIds) {
  const auto counts = histogram({1, 5, 4, 4, 4, 0}, {.temperature = 3, .top_k = 3}, 3000);
  EXPECT_GT(counts[1], 0);
  EXPECT_GT(counts[2], 0);
  EXPECT_GT(counts[3], 0);
  EXPECT_EQ(counts[0] + counts[4] + counts[5], 0);
}

TEST(Sampler, TopPKeepsTheFewestThatReachItBeforeTheTemperatureApplies) {
  // Probabilities 0.5, 0.3, 0.15, 0.05.
  std::vector<float> logits;
  for (const double p : {0.05, 0.5, 0.15, 0.3}) logits.push_back(static_cast<float>(std::log(p)));
  auto counts = histogram(logits, {.temperature = 10, .top_p = 0.79}, 4000);
  EXPECT_EQ(counts[0] + counts[2], 0);
  EXPECT_GT(counts[1], 1000);
  EXPECT_GT(counts[3], 1000);
  counts = histogram(logits, {.temperature = 10, .top_p = 0.81}, 4000);
  EXPECT_EQ(counts[0], 0);
  EXPECT_GT(counts[2], 500);
  // After top-k 2 the probabilities are 0.625 and 0.375.
  counts = histogram(logits, {.temperature = 1, .top_k = 2, .top_p = 0.6}, 1000);
  EXPECT_EQ(counts[1], 1000);
}

TEST(Sampler, TopPOfALargeVocabularyAgreesWithAFullSort) {
  const auto logits = noise(5000, 3);
  std::vector<double> p;
  double total = 0;
  for (const float l : logits) total += std::exp(l);
  for (const float l : logits) p.push_back(std::exp(l) / total);
  std::vector<double> sorted = p;
  std::sort(sorted.rbegin(), sorted.rend());
  for (const double top_p : {0.05, 0.5, 0.95}) {
    double reached = 0, least = 0;
    for (size_t i = 0; reached < top_p; ++i) reached += least = sorted[i];
    const auto counts = histogram(logits, {.temperature = 1, .top_p = top_p, .seed = 1}, 1000);
    for (size_t i = 0; i < p.size(); ++i) {
      EXPECT_TRUE(counts[i] == 0 || p[i] >= least * (1 - 1e-9)) << i;
    }
  }
}

TEST(Sampler, TheSeedDecidesTheTokens) {
  const auto run = [](uint64_t seed) {
    Sampler sampler({.temperature = 1, .top_k = 40, .top_p = 0.9, .seed = seed});
    std::vector<int32_t> out;
    for (uint64_t i = 0; i < 64; ++i) out.push_back(sampler.sample(noise(500, i)));
    return out;
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
}

TEST(Sampler, TheRandomNumbersAreThoseOfThePaper) {
  Random random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317u);
  EXPECT_EQ(random.next(), 3203168211198807973u);
  EXPECT_EQ(random.next(), 9817491932198370423u);
}

TEST(Sampler, TokensMaskedWithMinusInfinityAreNeverDrawn) {
  std::vector<float> logits(50, -kInf);
  logits[9] = 1;
  logits[33] = 0;
  const auto counts = histogram(logits, {.temperature = 100, .seed = 5}, 1000);
  EXPECT_EQ(counts[9] + counts[33], 1000);
  EXPECT_GT(counts[33], 300);
}

TEST(Sampler, LogitsThatAreNoDistributionAreRefusedByName) {
  const auto message = [](std::vector<float> logits, double temperature) -> std::string {
    try {
      Sampler({.temperature = temperature}).sample(logits);
    } catch (const Error& e) {
      return e.what();
    }
    return "accepted";
  };
  for (const double temperature : {0.0, 1.0}) {
    for (const size_t n : {5u, 64u}) {
      std::vector<float> logits(n, 1.0f);
      logits[3] = std::nanf("");
      EXPECT_NE(message(logits, temperature).find("token 3 is NaN"), std::string::npos);
      logits[3] = kInf;
      EXPECT_NE(message(logits, temperature).find("token 3 is infinite"), std::string::npos);
      EXPECT_NE(message(std::vector<float>(n, -kInf), temperature).find("no token"), std::string::npos);
    }
  }
}

TEST(Sampler, MinPKeepsWhatIsNearTheLikeliest) {
  std::vector<float> logits(40, -9);
  logits[7] = 2;
  logits[20] = 2 + std::log(0.31f);
  logits[30] = 2 + std::log(0.29f);
  const auto counts = histogram(logits, {.temperature = 50, .min_p = 0.3, .seed = 2}, 2000);
  EXPECT_EQ(counts[7] + counts[20], 2000) << "whatever the temperature, which comes later";
  EXPECT_GT(counts[20], 800);
  EXPECT_EQ(histogram(logits, {.temperature = 50, .min_p = 1}, 100)[7], 100);
}

TEST(Sampler, ThePenaltyDividesPositiveAndMultipliesNegativeLogitsOnceEach) {
  Sampler sampler({.repetition_penalty = 2, .repetition_window = 3});
  const std::vector<float> logits{4, 3, 2.5, -1};
  EXPECT_EQ(sampler.sample(logits), 0);
  EXPECT_EQ(sampler.sample(logits, std::vector<int32_t>{0}), 1);
  EXPECT_EQ(sampler.sample(logits, std::vector<int32_t>{0, 1, 0}), 2) << "4 / 2 and 3 / 2";
  EXPECT_EQ(sampler.sample(logits, std::vector<int32_t>{0, 1, 1, 1}), 0) << "0 is out of the window";
  const std::vector<float> negative{-1, -1.5};
  EXPECT_EQ(sampler.sample(negative, std::vector<int32_t>{0}), 1);
  Sampler all({.repetition_penalty = 2, .repetition_window = 0});
  EXPECT_EQ(all.sample(logits, std::vector<int32_t>{0, 1, 1, 1, 1, 1}), 2);
}

using Ids = std::vector<int32_t>;

TEST(Sampler, PresenceIsSubtractedOnceAndFrequencyAsOftenAsATokenCame) {
  const std::vector<float> logits{4, 3, 2.5, -1};
  Sampler presence({.presence_penalty = 1.2});
  EXPECT_EQ(presence.sample(logits, Ids{0}), 1) << "4 - 1.2";
  EXPECT_EQ(presence.sample(logits, Ids{0, 0, 0, 1}), 0) << "2.8 beside 1.8 and 2.5";
  Sampler frequency({.frequency_penalty = 0.6});
  EXPECT_EQ(frequency.sample(logits, Ids{0}), 0) << "3.4";
  EXPECT_EQ(frequency.sample(logits, Ids{0, 0}), 1) << "2.8";
  EXPECT_EQ(frequency.sample(logits, Ids{0, 0, 0, 1}), 2) << "2.2, 2.4, 2.5";
  EXPECT_EQ(Sampler({.presence_penalty = -6}).sample(logits, Ids{3}), 3) << "-1 + 6";
  EXPECT_EQ(Sampler({.presence_penalty = 0.4, .frequency_penalty = 0.4}).sample(logits, Ids{0, 0}), 1)
      << "2.8";
  EXPECT_EQ(Sampler({.repetition_penalty = 2, .presence_penalty = -1}).sample(logits, Ids{0}), 0)
      << "4 / 2 + 1, not (4 + 1) / 2; among equals the lowest";
}

TEST(Sampler, PenaltiesLookAtAWindowOrAtTheAnswerAlone) {
  const std::vector<float> logits{4, 3, 2};
  const Ids sequence{0, 0, 1, 1};
  const auto sample = [&](const SamplerOptions& o, size_t made) {
    return Sampler(o).sample(logits, sequence, made);
  };
  EXPECT_EQ(sample({.presence_penalty = 5, .repetition_window = 2}, 0), 0);
  EXPECT_EQ(sample({.presence_penalty = 5, .repetition_window = 0}, 0), 2);
  EXPECT_EQ(sample({.repetition_penalty = 9, .presence_penalty = 5, .repetition_window = -1}, 0), 0);
  EXPECT_EQ(sample({.presence_penalty = 5, .counts_answer_alone = true}, 0), 0) << "all of it is the prompt";
  EXPECT_EQ(sample({.presence_penalty = 5, .counts_answer_alone = true}, 3), 2);
  EXPECT_EQ(sample({.frequency_penalty = 0.7, .repetition_window = 1, .counts_answer_alone = true}, 4), 0)
      << "2.6, 1.6 and 2: the window is the other penalty's";
}

TEST(Sampler, ABiasMovesATokenAndMinusInfinityForbidsIt) {
  const std::vector<float> logits{4, 3, 2, 1};
  EXPECT_EQ(Sampler({.logit_bias = {{3, 3.5}}}).sample(logits), 3);
  EXPECT_EQ(Sampler({.logit_bias = {{0, -kInf}}}).sample(logits), 1);
  EXPECT_EQ(
      Sampler({.repetition_penalty = 2, .logit_bias = {{2, 1}}}).sample(logits, std::vector<int32_t>{0}), 1)
      << "equals go to the lowest id";
  const auto counts = histogram(logits, {.temperature = 9, .logit_bias = {{0, -kInf}, {1, -kInf}}}, 500);
  EXPECT_EQ(counts[2] + counts[3], 500);
  EXPECT_THROW(Sampler({.logit_bias = {{4, 1}}}).sample(logits), Error);
  EXPECT_THROW(Sampler({.logit_bias = {{-1, 1}}}).check_vocab(4), Error);
}

TEST(Sampler, OptionsOutOfRangeAreRefused) {
  EXPECT_THROW(Sampler({.min_p = 1.5}), Error);
  EXPECT_THROW(Sampler({.repetition_penalty = 0}), Error);
  EXPECT_THROW(Sampler({.repetition_window = -2}), Error);
  EXPECT_THROW(Sampler({.presence_penalty = std::nan("")}), Error);
  EXPECT_THROW(Sampler({.frequency_penalty = -2e6}), Error);
  EXPECT_THROW(Sampler({.logit_bias = {{0, kInf}}}), Error);
  EXPECT_THROW(Sampler({.logit_bias = {{0, std::nan("")}}}), Error);
  EXPECT_THROW(Sampler({.temperature = -1}), Error);
  EXPECT_THROW(Sampler({.temperature = std::nan("")}), Error);
  EXPECT_THROW(Sampler({.top_k = -1}), Error);
  EXPECT_THROW(Sampler({.top_p = 1.5}), Error);
  EXPECT_THROW(Sampler({.top_p = -0.1}), Error);
}

}  // namespace
}  // namespace lmc
