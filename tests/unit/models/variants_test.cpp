// What keys of a config.json mean, where no golden checkpoint has them so: shapes and attributes, no numbers.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "ir/op_def.h"
#include "models/load/model.h"
#include "tests/unit/temporary.h"

namespace lmc {
namespace {

// The graph of a configuration alone.
Model load(const std::string& json) {
  const std::string folder = temporary(::testing::UnitTest::GetInstance()->current_test_info()->name());
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/config.json") << json;
  return load_model(folder + "/config.json", {});
}

// In the order of the layers.
std::vector<Op const*> ops(const Model& m, const std::string& name) {
  std::vector<Op const*> out;
  for (OpId id : m.graph.ops()) {
    if (m.graph.op(id).def->name == name) out.push_back(&m.graph.op(id));
  }
  return out;
}

// Of each layer's attention.
std::vector<int64_t> windows(const Model& m) {
  std::vector<int64_t> out;
  for (const Op* op : ops(m, "attention")) out.push_back(attr_int(*op, "window"));
  return out;
}

// Ropes of each layer: those in whose scope they stand.
std::vector<int64_t> ropes(const Model& m) {
  std::vector<int64_t> out(static_cast<size_t>(m.layers), 0);
  for (const Op* op : ops(m, "rope")) ++out[std::stoul(op->scope.substr(7))];
  return out;
}

const std::string kSmall =
    R"("vocab_size": 64, "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4, "head_dim": 8)";

std::string yarn(const std::string& family, const std::string& scaling, const std::string& more = "") {
  return R"({"model_type": ")" + family + "\", " + kSmall +
         R"(, "num_hidden_layers": 2, "num_key_value_heads": 2,
             "max_position_embeddings": 100, )" +
         more + scaling + "}";
}

TEST(Variants, yarn_says_its_ramp_and_how_sharply_attention_looks) {
  const double grown = 0.1 * std::log(4.0);
  struct Case {
    std::string json;
    int64_t original, truncate;
    double fast, slow, factor, scale;
    int64_t context;
  };
  for (
      const Case& c : {
          Case{
              yarn(
                  "llama",
                  R"("rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 50})"),
              50, 1, 32, 1, 4, grown + 1, 200},
          Case{yarn("qwen2", R"("rope_scaling": {"rope_type": "yarn", "factor": 4})"), 100, 1, 32, 1, 4,
               grown + 1, 400},
          Case{yarn("qwen3", R"("rope_parameters": {"rope_type": "yarn", "factor": 4.0, "rope_theta": 5000,
                     "original_max_position_embeddings": 25, "beta_fast": 16, "beta_slow": 2, "truncate": false,
                     "attention_factor": 1.5})"),
               25, 0, 16, 2, 4, 1.5, 100},
          Case{yarn("mistral", R"("rope_scaling": {"rope_type": "yarn", "factor": 4.0, "mscale": 1.0,
                     "mscale_all_dim": 0.5, "original_max_position_embeddings": 25})"),
               25, 1, 32, 1, 4, (grown + 1) / (0.5 * grown + 1), 100},
          Case{yarn("phi3", R"("rope_scaling": {"type": "yarn", "factor": 4.0})"), 100, 1, 32, 1, 4,
               grown + 1, 400},
          Case{yarn("granite", R"("rope_scaling": {"type": "yarn", "original_max_position_embeddings": 25})"),
               25, 1, 32, 1, 4, grown + 1, 100},
          Case{
              yarn(
                  "gpt_oss",
                  R"("rope_scaling": {"rope_type": "yarn", "factor": 4, "original_max_position_embeddings": 25})",
                  R"("num_local_experts": 4, )"),
              25, 1, 32, 1, 4, grown + 1, 100},
          Case{yarn("gpt_oss", R"("num_local_experts": 4)"), 4096, 0, 32, 1, 32, 0.1 * std::log(32.0) + 1,
               131072},
      }) {
    const Model m = load(c.json);
    const Op& op = *ops(m, "rope_angles").at(0);
    EXPECT_EQ(attr_int(op, "original"), c.original) << c.json;
    EXPECT_EQ(attr_int(op, "truncate"), c.truncate) << c.json;
    EXPECT_EQ(attr_real(op, "beta_fast"), c.fast) << c.json;
    EXPECT_EQ(attr_real(op, "beta_slow"), c.slow) << c.json;
    EXPECT_EQ(attr_real(op, "factor"), c.factor) << c.json;
    EXPECT_NEAR(attr_real(op, "short_scale"), c.scale, 1e-12) << c.json;
    EXPECT_EQ(m.context, c.context) << c.json;
  }
}

TEST(Variants, layers_of_smollm3_that_do_not_turn_are_those_with_the_window) {
  const auto json = [](const std::string& more) {
    return R"({"model_type": "smollm3", "num_hidden_layers": 4, "num_key_value_heads": 2, )" + kSmall + more +
           "}";
  };
  EXPECT_EQ(ropes(load(json(""))), (std::vector<int64_t>{2, 2, 2, 0}));
  EXPECT_EQ(ropes(load(json(R"(, "no_rope_layer_interval": 2)"))), (std::vector<int64_t>{2, 0, 2, 0}));
  const Model m = load(json(
      R"(, "no_rope_layers": [0, 1, 1, 0], "sliding_window": 9, "use_sliding_window": true, "no_rope_layer_interval": 2)"));
  EXPECT_EQ(ropes(m), (std::vector<int64_t>{0, 2, 2, 0}));
  EXPECT_EQ(windows(m), (std::vector<int64_t>{9, 0, 0, 9}));
  EXPECT_EQ(windows(load(json(R"(, "sliding_window": 9)"))), (std::vector<int64_t>{0, 0, 0, 0}));
  EXPECT_EQ(windows(load(json(R"(, "sliding_window": 9, "use_sliding_window": true, "layer_types":
      ["sliding_attention", "full_attention", "full_attention", "full_attention"])"))),
            (std::vector<int64_t>{9, 0, 0, 0}));
}

TEST(Variants, layers_of_cohere2_with_a_window_turn) {
  const auto json = [](const std::string& more) {
    return R"({"model_type": "cohere2", "num_hidden_layers": 4, "num_key_value_heads": 2, "sliding_window": 9, )" +
           kSmall + more + "}";
  };
  const Model m = load(json(R"(, "sliding_window_pattern": 2)"));
  EXPECT_EQ(ropes(m), (std::vector<int64_t>{2, 0, 2, 0}));
  EXPECT_EQ(windows(m), (std::vector<int64_t>{9, 0, 9, 0}));
  const Model listed =
      load(json(R"(, "layer_types": ["full_attention", "sliding_attention", "sliding_attention",
      "full_attention"])"));
  EXPECT_EQ(ropes(listed), (std::vector<int64_t>{0, 2, 2, 0}));
  EXPECT_EQ(windows(listed), (std::vector<int64_t>{0, 9, 9, 0}));
  EXPECT_EQ(attr_real(*ops(listed, "scale").back(), "by"), 0.0625);
}

TEST(Variants, layers_of_qwen3_moe_without_experts_are_listed_or_come_in_steps) {
  const auto json = [](const std::string& more) {
    return R"({"model_type": "qwen3_moe", "num_hidden_layers": 4, "num_key_value_heads": 2, "num_experts": 4,
              "num_experts_per_tok": 2, "moe_intermediate_size": 16, )" +
           kSmall + more + "}";
  };
  EXPECT_EQ(ops(load(json("")), "route").size(), 4U);
  EXPECT_EQ(attr_int(*ops(load(json("")), "route")[0], "normalise"), 0);
  const Model m = load(json(R"(, "mlp_only_layers": [0], "decoder_sparse_step": 2, "norm_topk_prob": true)"));
  std::vector<std::string> with_experts;
  for (const Op* op : ops(m, "route")) {
    with_experts.push_back(op->scope);
    EXPECT_EQ(attr_int(*op, "normalise"), 1);
  }
  EXPECT_EQ(with_experts, (std::vector<std::string>{"layers.1.ffn", "layers.3.ffn"}));
  EXPECT_EQ(windows(load(json(R"(, "sliding_window": 9)"))), (std::vector<int64_t>{0, 0, 0, 0}));
  EXPECT_EQ(windows(load(json(R"(, "sliding_window": 9, "use_sliding_window": true)"))),
            (std::vector<int64_t>{9, 9, 9, 9}));
}

TEST(Variants, lanes_of_glm4_that_turn_may_stand_under_rope_parameters) {
  const auto dims = [](const std::string& more) {
    const Model m = load(R"({"model_type": "glm4", "num_hidden_layers": 1, )" + kSmall + more + "}");
    EXPECT_EQ(attr_int(*ops(m, "rope").at(0), "interleaved"), 1);
    return attr_int(*ops(m, "rope_angles").at(0), "dims");
  };
  EXPECT_EQ(dims(""), 4);
  EXPECT_EQ(dims(R"(, "rope_parameters": {"partial_rotary_factor": 0.25})"), 2);
  EXPECT_EQ(dims(R"(, "partial_rotary_factor": 1.0)"), 8);
}

}  // namespace
}  // namespace lmc
