#include "runtime/session.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "ir/schedule_check.h"
#include "runtime/sampler.h"
#include "toy_model.h"

namespace lmc {
namespace {

using test::message;
using test::some_tokens;
using test::ToyModel;

// All rows of `tokens`, in the order they are handed out.
std::vector<float> all_rows(Session& session, std::span<const int32_t> tokens) {
  std::vector<float> out;
  int64_t next = session.position();
  EXPECT_TRUE(session.forward(tokens, Rows::all, [&](int64_t first, int64_t rows, const float* logits) {
    EXPECT_EQ(first, next);
    next += rows;
    out.insert(out.end(), logits, logits + rows * ToyModel::kVocab);
  }));
  EXPECT_EQ(next, session.position());
  return out;
}

TEST(Session, TheToyModelsPlansAreSafe) {
  const ToyModel model(10, 100, 16, 16);
  EXPECT_TRUE(check_schedule(model.plan.decode).empty());
  EXPECT_TRUE(check_schedule(model.plan.prefill).empty());
}

TEST(Session, AnySplitOfThePromptGivesTheSameLogits) {
  const ToyModel model(10, 100, 16, 16);
  const auto tokens = some_tokens(77);
  const auto expected = model.reference(tokens);
  for (const int threads : {1, 2, 4}) {
    for (const int64_t block : {0, 1, 2, 3, 5, 16, 99}) {
      for (const char* scheduler : {"auto", "flow-graph", "shuffled"}) {
        auto session = model.session({.threads = threads, .block = block, .scheduler = scheduler});
        EXPECT_EQ(session->block(), block == 0 ? 16 : std::min<int64_t>(block, 16));
        EXPECT_EQ(test::copy(session->step(tokens)), expected) << block;
        EXPECT_EQ(session->position(), 77);
      }
    }
  }
}

TEST(Session, RingsKeepTheWindowThroughManyBlocks) {
  const ToyModel model(10, 2000, 16, 16);
  const auto tokens = some_tokens(2000);
  auto session = model.session();
  // Pieces of every size, so that blocks start anywhere in the ring.
  for (size_t at = 0, n = 1; at < tokens.size(); at += n, n = n % 37 + 1) {
    n = std::min(n, tokens.size() - at);
    const auto logits = session->step(std::span(tokens).subspan(at, n));
    ASSERT_EQ(test::copy(logits), model.reference(std::span(tokens).first(at + n))) << at + n;
  }
}

TEST(Session, AllRowsComeInOrderHoweverFewThePlanMayHold) {
  const auto tokens = some_tokens(45);
  const ToyModel reference(10, 100, 16, 16);
  std::vector<float> expected;
  for (size_t i = 1; i <= tokens.size(); ++i) {
    const auto row = reference.reference(std::span(tokens).first(i));
    expected.insert(expected.end(), row.begin(), row.end());
  }
  for (const int64_t max_rows : {1, 3, 16}) {
    const ToyModel model(10, 100, 16, max_rows);
    for (const int64_t block : {0, 1, 4}) {
      auto session = model.session({.threads = 2, .block = block, .scheduler = "flow-graph"});
      EXPECT_EQ(all_rows(*session, tokens), expected) << max_rows << " rows, blocks of " << block;
    }
  }
}

TEST(Session, NoRowsAreHandedOutWhenNoneAreWanted) {
  const ToyModel model(10, 100, 16, 16);
  auto session = model.session();
  const auto tokens = some_tokens(40);
  EXPECT_TRUE(session->forward(tokens, Rows::none, [](int64_t, int64_t, const float*) { FAIL(); }));
  EXPECT_EQ(session->position(), 40);
}

TEST(Session, AfterAResetNothingIsLeft) {
  const ToyModel model(10, 100, 16, 16);
  auto session = model.session({.threads = 2, .scheduler = "flow-graph"});
  session->warm_up();
  for (int i = 0; i < 5; ++i) {
    const auto tokens = some_tokens(static_cast<size_t>(20 + i));
    session->reset();
    EXPECT_EQ(session->position(), 0);
    EXPECT_EQ(test::copy(session->step(tokens)), model.reference(tokens));
  }
}

// Of every length: within the window, past it, round the ring.
TEST(Session, AStoredSequenceGoesOnInAnotherSession) {
  const ToyModel model(10, 200, 16, 16);
  for (const size_t length : {1u, 7u, 8u, 25u, 63u, 64u, 100u}) {
    const auto tokens = some_tokens(length + 5);
    const auto first = std::span(tokens).first(length);
    auto session = model.session();
    session->step(first);
    std::vector<std::byte> bytes;
    for (const auto piece : session->stored()) bytes.insert(bytes.end(), piece.begin(), piece.end());
    EXPECT_LE(bytes.size(), (length + 8) * 40);

    auto other = model.session();
    other->step(some_tokens(31));
    size_t at = 0;
    other->resume(first, [&](std::span<std::byte> piece) {
      std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(at), piece.size(), piece.begin());
      at += piece.size();
    });
    EXPECT_EQ(at, bytes.size());
    EXPECT_EQ(test::copy(other->step(std::span(tokens).subspan(length))), model.reference(tokens)) << length;
  }
}

TEST(Session, WhatCannotBeStoredOrResumedIsRefused) {
  const ToyModel model(10, 100, 16, 16);
  auto session = model.session();
  const auto ignore = [](std::span<std::byte>) {};
  session->step(some_tokens(60));
  ASSERT_TRUE(session->roll_back(55));
  EXPECT_EQ(message([&] { session->stored(); }), "accepted") << "the ring of 64 is not full yet";
  session->step(some_tokens(12));
  ASSERT_TRUE(session->roll_back(61));
  EXPECT_NE(message([&] { session->stored(); }).find("went back"), std::string::npos);
  EXPECT_NE(message([&] { session->resume(some_tokens(101), ignore); }).find("context holds 100"),
            std::string::npos);
  EXPECT_NE(message([&] {
              session->resume(some_tokens(9), [](std::span<std::byte>) { throw Error("cut off"); });
            }).find("cut off"),
            std::string::npos);
  EXPECT_EQ(session->position(), 0);
  EXPECT_EQ(test::copy(session->step(some_tokens(9))), model.reference(some_tokens(9)));
}

TEST(Session, APlanWithoutPrefillRunsTokenByToken) {
  ToyModel model(10, 100, 16, 16);
  model.plan.prefill = {};
  auto session = model.session();
  const auto tokens = some_tokens(30);
  EXPECT_EQ(session->block(), 1);
  EXPECT_EQ(test::copy(session->step(tokens)), model.reference(tokens));
  EXPECT_EQ(session->prefill_profile(), nullptr);
}

TEST(Session, MistakesInThePromptAreNamedAndFeedNothing) {
  const ToyModel model(10, 100, 16, 16);
  auto session = model.session();
  EXPECT_EQ(message([&] { session->step({}); }), "the prompt is empty: at least one token is needed");
  auto tokens = some_tokens(40);
  tokens[35] = 50;
  EXPECT_NE(
      message([&] { session->step(tokens); }).find("token 50 at index 35 is not in the vocabulary of 50"),
      std::string::npos);
  tokens[35] = -1;
  EXPECT_NE(message([&] { session->step(tokens); }).find("token -1 at index 35"), std::string::npos);
  EXPECT_NE(message([&] { session->step(some_tokens(101)); }).find("101 tokens, but the context holds 100"),
            std::string::npos);
  EXPECT_EQ(session->position(), 0);
  session->step(some_tokens(100));
  EXPECT_NE(message([&] {
              session->step(some_tokens(1));
            }).find("1 tokens after the 100 already there, but the context holds 100"),
            std::string::npos);
  EXPECT_EQ(session->position(), 100);
}

TEST(Session, TheStopFlagEndsAPromptBetweenBlocks) {
  const ToyModel model(10, 100, 8, 8);
  std::atomic<bool> stop{false};
  auto session = model.session({.threads = 1, .stop = &stop});
  const auto tokens = some_tokens(60);
  const bool finished = session->forward(tokens, Rows::all, [&](int64_t first, int64_t, const float*) {
    if (first == 16) stop = true;
  });
  EXPECT_FALSE(finished);
  EXPECT_EQ(session->position(), 24);
  EXPECT_TRUE(session->step(tokens).empty());
}

TEST(Session, ProfilesCountTheTokensOfEachPlan) {
  const ToyModel model(10, 100, 16, 16);
  auto session = model.session({.threads = 1, .profile = true});
  session->step(some_tokens(33));  // 16 + 16 + 1
  session->step(some_tokens(1));
  EXPECT_EQ(session->prefill_profile()->steps(), 2);
  EXPECT_EQ(session->prefill_profile()->tokens(), 32);
  EXPECT_EQ(session->decode_profile()->steps(), 2);
  EXPECT_EQ(session->decode_profile()->stages().size(), 3u);
  EXPECT_GT(session->decode_profile()->last_seconds(), 0);
}

std::vector<std::vector<int32_t>> texts_of_all_lengths(size_t n) {
  std::vector<std::vector<int32_t>> texts;
  for (size_t i = 0; i < n; ++i) {
    auto& t = texts.emplace_back(some_tokens(1 + i * 29 % 90));
    std::rotate(t.begin(), t.begin() + static_cast<ptrdiff_t>(t.size() / 2), t.end());
    t[0] = static_cast<int32_t>(i);
  }
  return texts;
}

// Steps of random mixes: of every sequence any number of its next tokens, of one and the same also in several
// pieces, with the logits of any of them. When a text ends, the next takes its place.
void expect_any_mix_gives_what_each_gets_alone(const ToyModel& model, Session& session, size_t places,
                                               uint64_t seed) {
  const auto texts = texts_of_all_lengths(13);
  struct Place {
    Sequence sequence;
    size_t text;
    int64_t length() const { return sequence.position(); }
  };
  std::vector<Place> at;
  size_t next = 0;
  const auto upto = [&](int64_t n) {
    return static_cast<int64_t>((seed = test::mix(seed, 3)) % static_cast<uint64_t>(n));
  };
  while (next < places) at.push_back({Sequence(model.plan), next++});
  size_t mixed = 0;
  while (!at.empty()) {
    std::vector<StepRow> rows;
    std::vector<std::vector<float>> expected;
    std::vector<int64_t> fed(places);
    int64_t wanted = 0;
    for (int64_t room = session.most_tokens(); room > 0;) {
      const auto p = static_cast<size_t>(upto(static_cast<int64_t>(at.size())));
      const std::span<const int32_t> text = texts[at[p].text];
      const int64_t left = static_cast<int64_t>(text.size()) - at[p].length() - fed[p];
      const int64_t n = std::min({left, room, 1 + upto(upto(2) == 0 ? 1 : 12)});
      for (int64_t i = 0; i < n; ++i) {
        const auto behind = static_cast<size_t>(at[p].length() + ++fed[p]);
        const bool want = wanted < session.most_logits() && upto(3) > 0;
        rows.push_back({&at[p].sequence, text[behind - 1], want, static_cast<int64_t>(text.size())});
        if (want) expected.push_back(model.reference(text.first(behind), static_cast<int64_t>(text.size())));
        wanted += want ? 1 : 0;
      }
      room -= std::max<int64_t>(n, 1);
      if (upto(6) == 0 && !rows.empty()) break;
    }
    if (rows.empty()) continue;
    mixed += std::count_if(fed.begin(), fed.end(), [](int64_t n) { return n > 0; }) > 1 ? 1 : 0;
    const auto logits = session.step_rows(rows);
    ASSERT_TRUE(logits);
    ASSERT_EQ(logits->size(), expected.size() * ToyModel::kVocab);
    for (size_t i = 0; i < expected.size(); ++i)
      ASSERT_EQ(test::copy(logits->subspan(i * ToyModel::kVocab, ToyModel::kVocab)), expected[i]);
    for (size_t p = at.size(); p-- > 0;) {
      const auto& text = texts[at[p].text];
      ASSERT_TRUE(std::equal(text.begin(), text.begin() + at[p].length(), at[p].sequence.tokens.begin(),
                             at[p].sequence.tokens.end()));
      if (at[p].length() < static_cast<int64_t>(text.size())) continue;
      if (next < texts.size()) {
        at[p].sequence.reset();
        at[p].text = next++;
      } else {
        at.erase(at.begin() + static_cast<ptrdiff_t>(p));
      }
    }
  }
  EXPECT_TRUE(places < 3 || mixed > 10) << mixed;
}

TEST(Session, AnyMixOfTokensOfAnySequencesGivesEachTheLogitsItGetsAlone) {
  for (const int64_t border : {0, 40}) {
    const ToyModel model(10, 100, 16, 16, border);
    for (const int threads : {1, 4}) {
      for (const size_t places : {1, 2, 3, 10}) {
        auto session = model.session({.threads = threads, .scheduler = "flow-graph"});
        session->step(some_tokens(5));
        for (uint64_t seed = 1; seed <= 20; ++seed)
          expect_any_mix_gives_what_each_gets_alone(model, *session, places, seed);
        auto before = some_tokens(5);
        EXPECT_EQ(session->tokens(), before);
        before.push_back(7);
        EXPECT_EQ(test::copy(session->step({{7}})), model.reference(before)) << "the session's own sequence";
      }
    }
  }
}

TEST(Session, ItsOwnSequenceMayBeAmongOthersInAStep) {
  const ToyModel model(10, 100, 16, 16);
  auto session = model.session();
  const auto tokens = some_tokens(9);
  session->step(std::span(tokens).first(4));
  Sequence other(model.plan);
  Sequence& own = session->sequence();
  const StepRow rows[] = {
      {&own, tokens[4]}, {&other, tokens[0], false}, {&other, tokens[1]}, {&own, tokens[5]}};
  const auto logits = session->step_rows(rows);
  ASSERT_EQ(logits->size(), 3u * ToyModel::kVocab);
  const auto row = [&](size_t i) {
    return test::copy(logits->subspan(i * ToyModel::kVocab, ToyModel::kVocab));
  };
  EXPECT_EQ(row(0), model.reference(std::span(tokens).first(5)));
  EXPECT_EQ(row(1), model.reference(std::span(tokens).first(2)));
  EXPECT_EQ(row(2), model.reference(std::span(tokens).first(6)));
  EXPECT_EQ(session->position(), 6);
  EXPECT_EQ(session->next(other, tokens[2]), greedy(model.reference(std::span(tokens).first(3))));
}

TEST(Session, WithoutPrefillAStepOfOneRowIsOfAnySequence) {
  ToyModel model(10, 100, 16, 16);
  model.plan.prefill = {};
  auto session = model.session();
  Sequence a(model.plan), b(model.plan);
  const auto tokens = some_tokens(20);
  for (size_t i = 0; i < tokens.size(); ++i) {
    for (Sequence* s : {&a, &b}) {
      const StepRow row{s, tokens[i]};
      EXPECT_EQ(test::copy(*session->step_rows({&row, 1})), model.reference(std::span(tokens).first(i + 1)));
    }
  }
}

TEST(Session, MistakesInAStepOfSeveralSequencesFeedNothing) {
  const ToyModel model(10, 100, 4, 2);
  auto session = model.session();
  Sequence a(model.plan), b(model.plan);
  EXPECT_EQ(session->most_sequences(), 2);
  const auto step = [&](const std::vector<StepRow>& rows) {
    return message([&] { session->step_rows(rows); });
  };
  EXPECT_EQ(step({}), "a step takes 1 to 4 tokens, not 0");
  EXPECT_EQ(step(std::vector<StepRow>(5, {&a, 1, false})), "a step takes 1 to 4 tokens, not 5");
  EXPECT_EQ(step({{&a, 1}, {&b, 2}, {&a, 3}}), "a step gives the logits of up to 2 tokens, not of 3");
  EXPECT_NE(step({{&a, 1}, {&b, 50}}).find("token 50 at index 1"), std::string::npos);
  const auto full = some_tokens(98);
  for (size_t i = 0; i < full.size(); ++i) session->next(b, full[i]);
  EXPECT_NE(step({{&b, 1, false}, {&a, 1, false}, {&b, 2, false}, {&b, 3, false}})
                .find("after the 98 already there"),
            std::string::npos);
  EXPECT_EQ(a.position(), 0);
  EXPECT_EQ(b.position(), 98);
}

TEST(Session, AWrongNumberOfWeightsIsRefused) {
  const ToyModel model(10, 100, 16, 16);
  EXPECT_NE(message([&] { Session(model.plan, {}, {}, {}); }).find("1 weights, but 0 were given"),
            std::string::npos);
}

TEST(Arena, SmallAndLargeAreZeroedAlignedAndCleared) {
  for (const int64_t bytes : {8, 64, 1000, 5 << 20}) {
    Arena a(bytes, "test");
    EXPECT_EQ(reinterpret_cast<uintptr_t>(a.data()) % 64, 0u);
    EXPECT_GE(a.bytes(), bytes);
    for (const int64_t at : {int64_t{0}, bytes / 2, bytes - 1}) {
      EXPECT_EQ(a.data()[at], std::byte{0});
      a.data()[at] = std::byte{1};
    }
    a.clear();
    for (const int64_t at : {int64_t{0}, bytes / 2, bytes - 1}) EXPECT_EQ(a.data()[at], std::byte{0});
    Arena moved = std::move(a);
    EXPECT_NE(moved.data(), nullptr);
  }
  EXPECT_NE(message([] { Arena(int64_t{1} << 60, "the KV cache"); }).find("MB for the KV cache"),
            std::string::npos);
}

}  // namespace
}  // namespace lmc
