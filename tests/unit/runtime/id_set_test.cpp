#include "runtime/id_set.h"

#include <gtest/gtest.h>

#include <cmath>

#include "runtime/draft.h"
#include "runtime/generate.h"
#include "toy_model.h"

namespace lmc {
namespace {

using test::message;
using test::some_tokens;
using test::ToyModel;

TEST(IdSet, HoldsRangesAndRestrictsRowsOfLogits) {
  IdSet ids(21);
  ids.add(3, 3);
  ids.add(6, 17);
  EXPECT_EQ(ids.size(), 13);
  std::vector<float> logits(42, 1.5F);
  ids.restrict(logits);
  for (int64_t i = 0; i < 42; ++i) {
    const int64_t id = i % 21;
    EXPECT_EQ(ids.contains(id), id == 3 || (id >= 6 && id <= 17)) << id;
    EXPECT_EQ(logits[static_cast<size_t>(i)], ids.contains(id) ? 1.5F : -INFINITY) << id;
  }
}

TEST(IdSet, OnlyItsIdsAreChosenHoweverTheyAreChosen) {
  const ToyModel model(10, 200, 16, 16);
  IdSet ids(ToyModel::kVocab);
  ids.add(7, 9);
  ids.add(30, 30);
  auto session = model.session();
  session->set_allowed(&ids);
  const std::vector<int32_t> prompt = some_tokens(20);
  for (const double temperature : {0.0, 2.0}) {
    for (const bool guesses : {false, true}) {
      Drafter drafter(4, 4);
      const GenerateOptions options{.max_tokens = 40,
                                    .sampler = {.temperature = temperature, .top_k = 20, .top_p = 0.99},
                                    .drafter = guesses ? &drafter : nullptr};
      session->reset();
      for (const int32_t id : generate(*session, prompt, options).ids) EXPECT_TRUE(ids.contains(id)) << id;
    }
  }
  session->reset();
  const auto logits = session->step(prompt);
  const std::vector<float> all = model.reference(prompt);
  for (size_t id = 0; id < all.size(); ++id)
    EXPECT_EQ(logits[id], ids.contains(static_cast<int64_t>(id)) ? all[id] : -INFINITY);
  session->set_allowed(nullptr);
  session->reset();
  const auto again = session->step(prompt);
  EXPECT_EQ(std::vector<float>(again.begin(), again.end()), all);
}

TEST(IdSet, OfAnotherVocabularyOrEmptyIsRefused) {
  const ToyModel model(10, 200, 16, 16);
  auto session = model.session();
  const IdSet other(3), none(ToyModel::kVocab);
  EXPECT_EQ(message([&] { session->set_allowed(&other); }),
            "the allowed ids are of a vocabulary of 3, the model has 50");
  EXPECT_EQ(message([&] { session->set_allowed(&none); }), "no id is allowed: nothing could be chosen");
}

}  // namespace
}  // namespace lmc
