// The first promise: compiled kernels agree with the double-precision reference on every golden checkpoint,
// with the same bits however the tokens are cut into steps and however many threads run them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "codegen/target.h"
#include "compiled_model.h"
#include "eight_rows.h"
#include "ir/eval.h"
#include "ir/schedule_check.h"
#include "ir/text.h"
#include "models/tokenizer/tokenizer.h"
#include "runtime/generate.h"
#include "tests/unit/codegen/golden_folder.h"

namespace lmc {
namespace {

const std::string kRoot = LMC_SOURCE_DIR;

struct Golden {
  Model model;
  std::vector<int32_t> ids;
  nlohmann::json answer;
};

Golden load(const std::string& name) {
  Golden g;
  const std::string folder = golden_folder() + "/" + name;
  g.model = load_model(folder, {});
  std::ifstream in(folder + "/golden.json");
  g.answer = nlohmann::json::parse(in);
  g.ids = g.answer["input_ids"].get<std::vector<int32_t>>();
  return g;
}

class GoldenCheckpoint : public testing::TestWithParam<std::string> {};
class GoldenInDepth : public testing::TestWithParam<std::string> {};

TEST_P(GoldenCheckpoint, the_evaluator_agrees_before_any_pass) {
  Golden g = load(GetParam());
  PassOptions passes;
  passes.only = std::vector<std::string>{"kv-format"};
  passes.settings["kv-format"] = {{"format", "f32"}};
  run_passes(g.model.graph, passes);
  const Tensor logits = evaluate(g.model.graph, step_inputs(g.ids, true), *g.model.weights)[0];
  const auto want = g.answer["final_logits"].get<std::vector<double>>();
  const double* last = logits.row(logits.rows() - 1);
  for (size_t i = 0; i < want.size(); ++i) ASSERT_NEAR(last[i], want[i], 1e-6);
  for (int64_t r = 0; r < logits.rows(); ++r) {
    const double* row = logits.row(r);
    EXPECT_EQ(std::max_element(row, row + logits.last()) - row,
              g.answer["argmax"][static_cast<size_t>(r)].get<int64_t>());
  }
}

// In one test, because compiling is what takes its time.
TEST_P(GoldenCheckpoint, the_kernels_agree_go_on_greedily_and_always_give_the_same_bits) {
  Golden g = load(GetParam());
  const Compiled c = compile(g.model, "none", 0);
  const auto vocab = static_cast<size_t>(c.code.plan.vocab);
  const std::vector<float> one = c.logits(g.ids, 1, 1, "in-order");
  ASSERT_EQ(one.size(), g.ids.size() * vocab);
  const auto want = g.answer["final_logits"].get<std::vector<double>>();
  for (size_t i = 0; i < vocab; ++i) ASSERT_NEAR(one[one.size() - vocab + i], want[i], 5e-4);
  for (size_t r = 0; r < g.ids.size(); ++r) {
    if (g.answer["argmax_margin"][r].get<double>() <= 5e-3) continue;
    const float* row = one.data() + r * vocab;
    EXPECT_EQ(std::max_element(row, row + vocab) - row, g.answer["argmax"][r].get<int64_t>())
        << "position " << r;
  }
  EXPECT_EQ(one, c.logits(g.ids, 1, 0, "in-order"));
  EXPECT_EQ(one, c.logits(g.ids, 2, 0, "flow-graph"));
  EXPECT_EQ(one, c.logits(g.ids, 2, 5, "flow-graph"));
  EXPECT_EQ(one, c.logits(g.ids, 4, 3, "flow-graph"));
  EXPECT_EQ(one, c.logits(g.ids, 2, 1, "flow-graph"));
  EXPECT_EQ(one, c.logits(g.ids, 1, 7, "shuffled"));
  EXPECT_EQ(c.greedy(g.ids, g.answer["greedy"].size()), g.answer["greedy"].get<std::vector<int32_t>>());
}

TEST_P(GoldenInDepth, quantised_kernels_give_the_same_bits_and_follow_the_evaluator) {
  Golden g = load(GetParam());
  const Compiled c = compile(g.model, "q8_0", 1);
  const std::vector<float> one = c.logits(g.ids, 1, 1, "in-order");
  EXPECT_EQ(one, c.logits(g.ids, 1, 0, "in-order"));
  EXPECT_EQ(one, c.logits(g.ids, 4, 5, "flow-graph"));
  EXPECT_EQ(one, c.logits(g.ids, 1, 11, "shuffled"));
  // The evaluator works in double, so now and then a value rounds to the other side; on average they agree.
  const Tensor want = evaluate(g.model.graph, step_inputs(g.ids, true), *g.model.weights)[0];
  double sum = 0;
  double scale = 0;
  for (size_t i = 0; i < one.size(); ++i) {
    sum += std::pow(one[i] - want.data[i], 2);
    scale += std::pow(want.data[i], 2);
  }
  EXPECT_LT(std::sqrt(sum / scale), 3e-2);
}

// Of each value 8 bits and a scale are kept. The bounds are twice what was found, of the largest logit.
TEST_P(GoldenInDepth, int8_caches_give_the_same_bits_and_stay_near_the_reference) {
  std::vector<float> first;
  for (const Target* target : targets_here()) {
    Golden g = load(GetParam());
    const Compiled c = compile(g.model, "none", 0, target->name(), "q8_0");
    for (const auto& [threads, block] :
         {std::pair<int, int64_t>{1, 1}, {1, 7}, {2, 64}, {2, 3}, {2, 0}, {2, 1}}) {
      const std::vector<float> got = c.logits(g.ids, threads, block, threads > 1 ? "flow-graph" : "shuffled");
      if (first.empty()) first = got;
      EXPECT_EQ(got, first) << target->name() << ", " << threads << " threads, blocks of " << block;
    }
  }
  const auto want = load(GetParam()).answer["final_logits"].get<std::vector<double>>();
  double largest = 0, most = 0, sum = 0;
  for (size_t i = 0; i < want.size(); ++i) {
    const double error = std::fabs(first[first.size() - want.size() + i] - want[i]);
    most = std::max(most, error);
    sum += error / static_cast<double>(want.size());
    largest = std::max(largest, std::fabs(want[i]));
  }
  EXPECT_LT(most, 0.05 * largest);
  EXPECT_LT(sum, 0.012 * largest);
}

TEST_P(GoldenInDepth, every_target_of_this_machine_gives_the_same_bits) {
  std::vector<float> first;
  for (const Target* target : targets_here()) {
    Golden g = load(GetParam());
    const Compiled c = compile(g.model, "q8_0,ffn_*=q4_k,attn_*=q4_0", 1, target->name());
    for (const int64_t block : {1, 2, 9, 0}) {
      const std::vector<float> got = c.logits(g.ids, 1, block, "in-order");
      if (first.empty()) first = got;
      EXPECT_EQ(got, first) << target->name() << ", blocks of " << block;
    }
  }
}

TEST_P(GoldenInDepth, stages_that_touch_the_same_bytes_are_ordered_by_a_path) {
  Golden g = load(GetParam());
  const Compiled c = compile(g.model, "q8_0", 1);
  EXPECT_EQ(check_schedule(c.code.plan.decode), std::vector<std::string>());
  EXPECT_EQ(check_schedule(c.code.plan.prefill), std::vector<std::string>());
}

TEST_P(GoldenInDepth, every_exact_pass_passes_the_numeric_gate) {
  Golden g = load(GetParam());
  PassOptions passes;
  passes.check = true;
  passes.weights = g.model.weights.get();
  passes.settings["quantize"] = {{"min_dim", "1"}};
  passes.repro_path.clear();
  for (const PassReport& r : run_passes(g.model.graph, passes)) {
    EXPECT_EQ(r.checks.size(), r.changed ? 2U : 0U) << r.pass;
    if (r.pass == "quantize") {
      EXPECT_GT(r.checks.at(1).max_abs, 0);
    }
  }
}

TEST_P(GoldenInDepth, graphs_round_trip_through_text_at_every_stage) {
  Golden g = load(GetParam());
  const std::string before = print_graph(g.model.graph);
  EXPECT_EQ(print_graph(parse_graph(before)), before);
  PassOptions passes;
  run_passes(g.model.graph, passes);
  add_packing(g.model.graph, eight_rows);
  const std::string after = print_graph(g.model.graph);
  EXPECT_EQ(print_graph(parse_graph(after)), after);
}

class TinyModel : public testing::TestWithParam<const char*> {};

TEST_P(TinyModel, continues_its_golden_prompts_greedily) {
  const std::string name = GetParam();
  Model m = load_model(kRoot + "/models/tiny/" + name + ".yaml", {});
  const Compiled c = compile(m, "none", 0);
  const Tokenizer tokenizer = Tokenizer::from_json_file(kRoot + "/models/tiny/" + name + "/tokenizer.json");
  std::ifstream in(kRoot + "/models/tiny/" + name + "/golden.json");
  for (const auto& prompt : nlohmann::json::parse(in)) {
    const auto want = prompt["greedy"].get<std::vector<int32_t>>();
    const auto ids = prompt["ids"].get<std::vector<int32_t>>();
    GenerateOptions options;
    options.max_tokens = static_cast<int64_t>(want.size());
    const std::vector<int32_t> got = generate(*c.session(), ids, options).ids;
    EXPECT_EQ(got, want) << prompt["prompt"];
    EXPECT_EQ(tokenizer.decode(got, true), prompt["text"].get<std::string>());
  }
}

INSTANTIATE_TEST_SUITE_P(All, TinyModel, testing::Values("gemma3", "gpt2"));

INSTANTIATE_TEST_SUITE_P(All, GoldenCheckpoint, testing::ValuesIn(golden_names()), golden_test_name);

// These compile often: every kind of kernel once is enough where time counts.
std::vector<std::string> names_in_depth() {
  const std::vector<std::string> all = golden_names();
  if (std::getenv("LMC_GOLDEN_DIR")) return all;
  std::vector<std::string> out;
  for (const char* name : {"gpt2-a", "gpt2-b", "gemma3-a", "gemma3-b", "gemma3-c", "gemma3-mm", "falcon-rw",
                           "mixtral-a", "gptoss-b", "cohere2-a", "granite4h-b"}) {
    if (std::find(all.begin(), all.end(), name) != all.end()) out.emplace_back(name);
  }
  return out;
}

INSTANTIATE_TEST_SUITE_P(All, GoldenInDepth, testing::ValuesIn(names_in_depth()), golden_test_name);

}  // namespace
}  // namespace lmc
