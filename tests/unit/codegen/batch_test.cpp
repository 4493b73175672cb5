// A prompt's logits and tokens do not depend on what is decoded beside it.
#include <gtest/gtest.h>

#include "compiled_model.h"
#include "golden_folder.h"
#include "runtime/generate.h"
#include "runtime/generate_batch.h"
#include "side_by_side.h"

namespace lmc {
namespace {

class BatchGolden : public testing::TestWithParam<std::string> {};

// One token, some, and several windows: most are shorter than the context, so that more can follow.
std::vector<std::vector<int32_t>> some_texts(const Plan& plan) {
  int64_t span = plan.context;
  for (const PlanCache& c : plan.caches) span = std::min(span, c.span);
  const int64_t longest = std::min({plan.context - 12, std::max<int64_t>(3 * span, 40), int64_t{300}});
  std::vector<std::vector<int32_t>> out;
  for (const int64_t length : {int64_t{1}, longest, int64_t{2}, int64_t{17}, longest / 2, int64_t{1},
                               int64_t{33}, int64_t{5}, longest - 1, int64_t{16}, int64_t{3}}) {
    auto& text = out.emplace_back();
    for (int64_t i = 0; i < std::min(length, longest); ++i)
      text.push_back(
          static_cast<int32_t>((i * i * 31 + 7 * i + static_cast<int64_t>(out.size()) * 13) % plan.vocab));
  }
  return out;
}

TEST_P(BatchGolden, a_prompt_gets_what_it_gets_alone) {
  const std::string name = GetParam();
  Model m = load_model(name.find('/') == std::string::npos ? golden_folder() + "/" + name
                                                           : std::string(LMC_SOURCE_DIR) + "/" + name,
                       {});
  // Caches in int8 here and there: of the tiny ones a ring, and one key a head.
  const bool int8 = name == "models/tiny/gemma3.yaml" || name == "falcon-rw";
  const Compiled c = compile(m, "q8_0", 32, "native", int8 ? "q8_0" : "");
  const auto texts = some_texts(c.code.plan);
  std::vector<std::vector<float>> alone;
  std::vector<Generated> generated;
  const GenerateOptions greedy{.max_tokens = 10};
  for (const auto& t : texts) {
    const auto session = c.session({.threads = 1});
    alone.push_back(all_logits(*session, t));
    session->reset();
    generated.push_back(generate(*session, t, greedy));
  }
  for (const int threads : {1, 2}) {
    const auto session = c.session({.threads = threads, .scheduler = "flow-graph"});
    for (const int64_t slots : {1, 2, 3, 8}) {
      SCOPED_TRACE(std::to_string(threads) + " threads, " + std::to_string(slots) + " slots");
      expect_alone_and_side_by_side_alike(*session, texts, alone, static_cast<size_t>(slots));
      size_t ends = 0;
      BatchListener listener;
      listener.on_end = [&](size_t i, const Generated& g) {
        ++ends;
        EXPECT_EQ(g.ids, generated[i].ids) << "prompt " << i;
      };
      EXPECT_TRUE(generate_batch(*session, texts, greedy, slots, listener));
      EXPECT_EQ(ends, texts.size());
    }
  }
}

std::string batch_test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(c); }, '_');
  return name;
}

// A ring, learned positions, grouped heads, linear biases, a window in a small cache, experts, rope factors
// that change with the length, convolutions, recurrent states.
INSTANTIATE_TEST_SUITE_P(All, BatchGolden,
                         testing::Values("models/tiny/gemma3.yaml", "models/tiny/gpt2.yaml", "gemma3-a",
                                         "gptoss-a", "llama-b", "falcon-rw", "mistral-a", "mixtral-a",
                                         "phi3-long", "lfm2-a", "granite4h-a"),
                         batch_test_name);

}  // namespace
}  // namespace lmc
