// The step that guesses from the high halves of the weights: what it says, that it leaves nothing behind, and
// that the steps beside it say what they say without it.
#include <gtest/gtest.h>

#include <cmath>

#include "codegen/target.h"
#include "compiled_model.h"
#include "ir/eval.h"
#include "runtime/draft.h"
#include "runtime/generate.h"
#include "runtime/sampler.h"
#include "tests/unit/codegen/golden_folder.h"

namespace lmc {
namespace {

constexpr int64_t kBlock = 16;

class SelfDraftOf : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    PassOptions passes;
    passes.settings["quantize"] = {{"format", "q8_0"}, {"min_dim", "32"}};
    passes.repro_path.clear();
    run_passes(model_.graph, passes);
  }
  Compiled compiled(bool draft, const std::string& target = "native") const {
    CodegenOptions options;
    options.context = model_.context;
    return compile_graph(model_.graph, *model_.weights, {.block = kBlock, .target = target, .draft = draft},
                         options);
  }
  std::vector<int32_t> prompt(int32_t tokens) const {
    std::vector<int32_t> out;
    for (int32_t i = 0; i < tokens; ++i) out.push_back((i * 37 + 5) % 64);
    return out;
  }

  Model model_ = load_model(golden_folder() + "/" + GetParam(), {});
};

std::vector<float> copy(std::span<const float> x) { return {x.begin(), x.end()}; }

TEST_P(SelfDraftOf, OtherStepsKeepTheirBits) {
  const std::vector<int32_t> ids = prompt(23);
  for (const Target* target : targets_here()) {
    if (GetParam() != "gemma3-a" && target != targets_here()[0]) continue;
    const std::string name = target->name();
    const Compiled without = compiled(false, name), with = compiled(true, name);
    for (const int64_t block : {int64_t{1}, int64_t{3}, kBlock})
      EXPECT_EQ(without.logits(ids, 2, block, kUsualScheduler), with.logits(ids, 2, block, kUsualScheduler))
          << name << ", block " << block;
  }
}

// Of the largest logit.
double apart(std::span<const float> got, std::span<const double> want) {
  double largest = 0, most = 0;
  for (size_t i = 0; i < want.size(); ++i) {
    largest = std::max(largest, std::fabs(want[i]));
    most = std::max(most, std::fabs(static_cast<double>(got[i]) - want[i]));
  }
  return most / largest;
}

TEST_P(SelfDraftOf, SaysWhatItsGraphSays) {
  const Compiled c = compiled(true);
  const std::vector<int32_t> id = {7};
  const Tensor want = evaluate(c.code.graphs.draft, step_inputs(id, true), *model_.weights)[0];
  const Tensor exact = evaluate(c.code.graphs.decode, step_inputs(id, true), *model_.weights)[0];
  const auto session = c.session();
  const std::vector<float> got = copy(*session->guess_logits(session->sequence(), 7));
  ASSERT_EQ(got.size(), want.data.size());
  // Rounding of activations to int8 may go the other way in double precision.
  EXPECT_LT(apart(got, want.data), 0.02);
  EXPECT_GT(apart(got, exact.data), 0.02) << "it is not made from fewer bytes";
  session->reset();
  EXPECT_EQ(session->guess(session->sequence(), 7), greedy(got));
}

// Behind a window that has gone round, too.
TEST_P(SelfDraftOf, LeavesNothingBehind) {
  const Compiled c = compiled(true);
  const std::vector<int32_t> ids = prompt(40);
  const auto asked = c.session(), plain = c.session();
  const auto guesses = static_cast<int32_t>(std::min(kBlock - 1, most_taken_back(c.code.plan)));
  for (size_t i = 0; i + 1 < ids.size(); ++i) {
    const int64_t before = asked->position();
    for (int32_t guess = ids[i], n = 0; n < guesses; ++n) {
      guess = asked->guess(asked->sequence(), guess).value();
      if (asked->position() == asked->context()) break;
    }
    ASSERT_TRUE(asked->roll_back(before));
    const std::span<const int32_t> next = std::span(ids).subspan(i, 1);
    ASSERT_EQ(copy(asked->step(next)), copy(plain->step(next))) << i;
  }
}

TEST_P(SelfDraftOf, GeneratesTheSameTokens) {
  const Compiled c = compiled(true);
  for (const double temperature : {0.0, 0.7}) {
    for (const double penalty : {1.0, 1.3}) {
      for (const size_t least : {size_t{0}, size_t{1}, size_t{5}}) {
        GenerateOptions options;
        options.max_tokens = 40;
        options.sampler = {.temperature = temperature, .repetition_penalty = penalty, .seed = 5};
        const Generated want = generate(*c.session(), prompt(9), options);
        Drafter drafter(8, least, true);
        options.drafter = &drafter;
        const Generated got = generate(*c.session(), prompt(9), options);
        EXPECT_EQ(got.ids, want.ids) << temperature << ' ' << penalty << ' ' << least;
        EXPECT_GE(got.drafted, least > 0 ? 10 : 0);
        EXPECT_GE(got.accepted, least > 0 && temperature == 0 ? 1 : 0);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Golden, SelfDraftOf,
                         testing::Values("gemma3-a", "gpt2-a", "mixtral-a", "lfm2-a", "granite4h-a"),
                         golden_test_name);

TEST(SelfDraft, NeedsAStepOfItsOwn) {
  Model model = load_model(golden_folder() + "/gpt2-a", {});
  const Compiled c = compile(model, "q8_0", 32);
  const auto session = c.session();
  EXPECT_FALSE(session->guesses());
  EXPECT_THROW(session->guess(session->sequence(), 1), Error);
  EXPECT_EQ(session->position(), 0);
}

}  // namespace
}  // namespace lmc
