// What `lmc bench --serve` asks, and what it makes of the bytes that come.
#include <gtest/gtest.h>

#include <algorithm>

#include "ir/error.h"
#include "tools/measure/serving/answer_stream.h"
#include "tools/measure/serving/traffic.h"

namespace lmc {
namespace {

TEST(Traffic, LinesAreRequests) {
  const auto all = traffic_in(
      "{\"prompt_tokens\": 5, \"answer_tokens\": 2, \"shared_tokens\": 3}\r\n\n"
      "{\"answer_tokens\": 7, \"prompt_tokens\": 1}",
      "f.jsonl");
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].prompt, 5);
  EXPECT_EQ(all[0].shared, 3);
  EXPECT_EQ(all[1].answer, 7);
  EXPECT_EQ(all[1].shared, 0);
}

TEST(Traffic, PromptsBeginAlikeAsFarAsTheyShallAndAreTheSameEachTime) {
  const TrafficRequest request{.prompt = 100, .answer = 1, .shared = 40};
  const auto a = prompt_of(request, 0, 1000), b = prompt_of(request, 1, 1000);
  EXPECT_EQ(a, prompt_of(request, 0, 1000));
  EXPECT_EQ(std::mismatch(a.begin(), a.end(), b.begin()).first - a.begin(), 40);
  EXPECT_TRUE(std::all_of(a.begin(), a.end(), [](int32_t id) { return id >= 0 && id < 1000; }));
}

TEST(Traffic, RequestsArriveAtTheRateThatIsAskedFor) {
  const auto at = arrivals(10001, 50);
  EXPECT_EQ(at[0], 0);
  EXPECT_TRUE(std::is_sorted(at.begin(), at.end()));
  EXPECT_NEAR(at.back() / 10000, 1 / 50.0, 1e-3);  // ± 5 standard deviations of the mean
  EXPECT_EQ(arrivals(3, 0), (std::vector<double>{0, 0, 0}));
}

TEST(AnswerStream, TokensAreCountedHoweverTheBytesCome) {
  const std::string text =
      ": a comment\ndata: {\"tokens\": [5], \"content\": \"a\", \"stop\": false}\r\n\r\n"
      "data: {\"tokens\": [6, 7], \"content\": \"bc\"}\n\n"
      "data: {\"tokens\": [], \"content\": \"\", \"stop\": true, \"timings\": {\"cache_n\": 64}}\n\n";
  for (size_t step = 1; step <= text.size(); step += 7) {
    AnswerStream stream("server", 3);
    for (size_t at = 0; at < text.size(); at += step)
      stream.push(std::string_view(text).substr(at, step), static_cast<double>(at));
    stream.finish();
    EXPECT_EQ(stream.tokens(), 3);
    EXPECT_EQ(stream.reused(), 64);
    EXPECT_LE(stream.pieces().size(), 2u);
  }
}

TEST(AnswerStream, TextStandsForTokensThatAreNotTold) {
  AnswerStream stream("server", 3);
  stream.push("data: {\"content\": \"a\"}\n\n", 1);
  stream.push("data: {\"content\": \"b\"}\n\n", 2);
  EXPECT_THROW(stream.finish(), Error);
  stream.push("data: {\"content\": \"\", \"stop\": true}\n\n", 3);
  stream.finish();
  ASSERT_EQ(stream.pieces().size(), 2u);
  EXPECT_EQ(stream.pieces()[1].at, 2);
}

TEST(AnswerStream, ALineHasAnEnd) {
  AnswerStream stream("server", 3);
  const std::string much(1 << 20, 'x');
  EXPECT_THROW(for (int i = 0; i < 9; ++i) stream.push(much, 0), Error);
}

}  // namespace
}  // namespace lmc
