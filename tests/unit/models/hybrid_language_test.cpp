// Layers of different kinds in one model file, and what the configurations of such families may say.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "ir/error.h"
#include "ir/op_def.h"
#include "models/load/model.h"
#include "tests/unit/error_of.h"
#include "tests/unit/temporary.h"

namespace lmc {
namespace {

// The shapes of a model with this config.json.
Model shapes_of(const std::string& json) {
  const std::string folder = temporary(::testing::UnitTest::GetInstance()->current_test_info()->name());
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/config.json") << json;
  return load_model(folder + "/config.json", {});
}

std::string input_type(const Model& m, const std::string& name) {
  const ValueId v = m.graph.find_input(name);
  return v.valid() ? m.graph.type(v).str() : "none";
}

std::string weight_type(const Model& m, const std::string& name) {
  for (ValueId w : m.graph.weights()) {
    if (m.graph.value(w).name == name) return m.graph.type(w).str();
  }
  return "none";
}

// Of the op that makes a value of the layer; empty if there is none.
std::vector<const Op*> ops_of(const Model& m, const std::string& name) {
  std::vector<const Op*> out;
  for (OpId id : m.graph.ops()) {
    if (m.graph.op(id).def->name == name) out.push_back(&m.graph.op(id));
  }
  return out;
}

std::string lfm2(const std::string& more) {
  return R"({"model_type": "lfm2", "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4,
             "num_key_value_heads": 2, "vocab_size": 40, "max_position_embeddings": 64, "block_ff_dim": 100,
             "block_multiple_of": 16)" +
         more + "}";
}

TEST(Lfm2, layers_attend_or_convolve_as_the_configuration_says) {
  const Model by_index = shapes_of(lfm2(R"(, "full_attn_idxs": [1])"));
  EXPECT_EQ(input_type(by_index, "kv.0"), "none");
  EXPECT_EQ(input_type(by_index, "rows.0"), "kv_f32[3,32]");
  EXPECT_EQ(input_type(by_index, "kv.1"), "kv_f16[64,2,8]");
  EXPECT_EQ(input_type(by_index, "rows.1"), "none");
  const Model by_type =
      shapes_of(lfm2(R"(, "conv_L_cache": 4, "layer_types": ["full_attention", "conv", "conv"])"));
  EXPECT_EQ(input_type(by_type, "kv.0"), "kv_f16[64,2,8]");
  EXPECT_EQ(input_type(by_type, "rows.1"), "kv_f32[4,32]");
  const Model all = shapes_of(lfm2(""));
  EXPECT_EQ(ops_of(all, "attention").size(), 3u);
  EXPECT_EQ(ops_of(all, "short_conv").size(), 0u);
}

TEST(Lfm2, the_width_between_is_adjusted_only_if_so_said) {
  const auto width = [](const std::string& more) {
    return weight_type(shapes_of(lfm2(more)), "layers.0.feed_forward.w1.weight");
  };
  EXPECT_EQ(width(""), "bf16[80,32]");  // 66, rounded up to 16
  EXPECT_EQ(width(R"(, "block_ffn_dim_multiplier": 1.5)"), "bf16[112,32]");
  EXPECT_EQ(width(R"(, "block_ffn_dim_multiplier": null)"), "bf16[66,32]");
  EXPECT_EQ(width(R"(, "block_auto_adjust_ff_dim": false)"), "bf16[100,32]");
}

TEST(Lfm2, biases_are_those_of_the_convolution) {
  const Model m = shapes_of(lfm2(R"(, "conv_bias": true, "full_attn_idxs": [], "tie_embedding": false)"));
  EXPECT_EQ(weight_type(m, "layers.0.conv.conv.bias"), "bf16[32]");
  EXPECT_EQ(weight_type(m, "layers.0.conv.in_proj.bias"), "bf16[96]");
  EXPECT_EQ(weight_type(m, "layers.0.conv.out_proj.bias"), "bf16[32]");
  EXPECT_EQ(weight_type(m, "lm_head.weight"), "bf16[40,32]");
}

std::string granite(const std::string& more) {
  return R"({"model_type": "granitemoehybrid", "hidden_size": 32, "intermediate_size": 12, "num_hidden_layers": 2,
             "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 40, "max_position_embeddings": 64,
             "shared_intermediate_size": 20, "num_local_experts": 4, "mamba_n_heads": 8, "mamba_d_state": 5,
             "mamba_n_groups": 2, "layer_types": ["mamba", "attention"])" +
         more + "}";
}

TEST(GraniteHybrid, layers_have_a_state_or_keys_and_values) {
  const Model m = shapes_of(granite(""));
  EXPECT_EQ(input_type(m, "state.0"), "state_f32[8,40]");
  EXPECT_EQ(input_type(m, "rows.0"), "kv_f32[4,84]");
  EXPECT_EQ(input_type(m, "kv.0"), "none");
  EXPECT_EQ(input_type(m, "state.1"), "none");
  EXPECT_EQ(input_type(m, "kv.1"), "kv_f16[64,2,8]");
  EXPECT_EQ(weight_type(m, "layers.0.mamba.in_proj.weight"), "bf16[156,32]");
  EXPECT_EQ(ops_of(m, "rope").size(), 0u);
  EXPECT_EQ(ops_of(shapes_of(granite(R"(, "position_embedding_type": "rope")")), "rope").size(), 2u);
  EXPECT_EQ(ops_of(shapes_of(granite(R"(, "layer_types": null)")), "linear_recurrence").size(), 2u);
}

TEST(GraniteHybrid, experts_and_biases_are_there_if_so_said) {
  const Model m =
      shapes_of(granite(R"(, "num_local_experts": 0, "mamba_proj_bias": true, "mamba_conv_bias": false)"));
  EXPECT_EQ(ops_of(m, "route").size(), 0u);
  EXPECT_EQ(weight_type(m, "layers.0.block_sparse_moe.router.layer.weight"), "none");
  EXPECT_EQ(weight_type(m, "layers.0.mamba.in_proj.bias"), "bf16[156]");
  EXPECT_EQ(weight_type(m, "layers.0.mamba.conv1d.bias"), "none");
  EXPECT_EQ(ops_of(shapes_of(granite("")), "route").size(), 2u);
}

std::string deepseek(const std::string& more) {
  return R"({"model_type": "deepseek_v3", "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
             "moe_intermediate_size": 8, "num_attention_heads": 2, "vocab_size": 40, "n_routed_experts": 8,
             "num_experts_per_tok": 2, "n_group": 2, "topk_group": 1, "kv_lora_rank": 16, "q_lora_rank": 12,
             "qk_rope_head_dim": 4, "qk_nope_head_dim": 8, "v_head_dim": 6, "max_position_embeddings": 64,
             "first_k_dense_replace": 1)" +
         more + "}";
}

TEST(DeepseekV3, keys_and_values_have_their_own_widths) {
  const Model m = shapes_of(deepseek(""));
  EXPECT_EQ(input_type(m, "kv.0"), "kv_f16[64,2,12,6]");
  EXPECT_EQ(weight_type(m, "layers.0.mlp.gate_proj.weight"), "bf16[48,32]");
  EXPECT_EQ(weight_type(m, "layers.1.mlp.gate_proj.weight"), "none");
  EXPECT_EQ(input_type(shapes_of(deepseek(R"(, "v_head_dim": 12)")), "kv.0"), "kv_f16[64,2,12]");
}

TEST(DeepseekV3, queries_and_shared_experts_come_in_several_ways) {
  const Model m =
      shapes_of(deepseek(R"(, "q_lora_rank": null, "n_shared_experts": 2, "attention_bias": true)"));
  EXPECT_EQ(weight_type(m, "layers.0.self_attn.q_proj.weight"), "bf16[24,32]");
  EXPECT_EQ(weight_type(m, "layers.0.self_attn.kv_a_proj_with_mqa.bias"), "bf16[20]");
  EXPECT_EQ(weight_type(m, "layers.1.mlp.shared_experts.up_proj.weight"), "bf16[16,32]");
  const Model none = shapes_of(deepseek(R"(, "n_shared_experts": null)"));
  EXPECT_EQ(weight_type(none, "layers.1.mlp.shared_experts.up_proj.weight"), "none");
}

TEST(DeepseekV3, longer_contexts_scale_waves_and_scores) {
  const auto scales = [](const std::string& more) {
    const Model m = shapes_of(deepseek(
        R"(, "rope_scaling": {"type": "yarn", "factor": 40, "original_max_position_embeddings": 16)" + more +
        "}"));
    return std::pair(attr_real(*ops_of(m, "rope_angles")[0], "short_scale"),
                     attr_real(*ops_of(m, "attention")[0], "scale"));
  };
  const double log40 = 3.6888794541139363;
  const double plain = 1 / std::sqrt(12.0);
  const auto equal = scales(R"(, "mscale": 1.0, "mscale_all_dim": 1.0)");
  EXPECT_NEAR(equal.first, 1, 1e-12);
  EXPECT_NEAR(equal.second, plain * std::pow(0.1 * log40 + 1, 2), 1e-12);
  const auto apart = scales(R"(, "mscale": 0.7, "mscale_all_dim": 1.4)");
  EXPECT_NEAR(apart.first, (0.07 * log40 + 1) / (0.14 * log40 + 1), 1e-12);
  EXPECT_NEAR(apart.second, plain * std::pow(0.14 * log40 + 1, 2), 1e-12);
  const auto neither = scales("");
  EXPECT_NEAR(neither.first, 0.1 * log40 + 1, 1e-12);
  EXPECT_NEAR(neither.second, plain, 1e-12);
}

TEST(DeepseekV3, what_is_another_routing_is_refused) {
  const auto refused = [](const std::string& more) { return error_of([&] { shapes_of(deepseek(more)); }); };
  EXPECT_NE(refused(R"(, "scoring_func": "softmax")").find("scoring_func is \"softmax\""), std::string::npos);
  EXPECT_NE(refused(R"(, "topk_method": "greedy")").find("topk_method is \"greedy\""), std::string::npos);
  EXPECT_NE(refused(R"(, "n_group": 3)").find("8 experts are not 3 groups"), std::string::npos);
}

ConfigValue eval(const std::string& text, const ConfigMap& config = {}) {
  return evaluate_expr(syntax::parse_expr(text, "test"), config);
}

TEST(Expressions, lists_can_be_searched_and_told_from_numbers) {
  const ConfigMap c = {{"layers", {std::vector<ConfigValue>{{int64_t{2}}, {int64_t{5}}}}}};
  EXPECT_EQ(eval("in(5, $layers)", c).str(), "1");
  EXPECT_EQ(eval("in(3, $layers)", c).str(), "0");
  EXPECT_EQ(eval("is_list($layers)", c).str(), "1");
  EXPECT_EQ(eval("is_list(2)").str(), "0");
  EXPECT_THROW(eval("in(3, 3)"), Error);
}

TEST(Language, caches_say_what_they_have) {
  const auto message = [](const std::string& yaml) {
    const std::string path = temporary("cache.yaml");
    std::ofstream(path) << "extends: " LMC_SOURCE_DIR "/models/llama.yaml\nfamily: other\n" << yaml;
    ModelOptions shapes;
    shapes.weights = "none";
    return error_of([&] { load_model(path, shapes); });
  };
  EXPECT_NE(message("kv: {span: 1, dim: 2}\n").find("kv needs span, heads and dim"), std::string::npos);
  EXPECT_NE(message("rows: {span: 1, heads: 2, dim: 2}\n").find("unknown key 'heads' in rows"),
            std::string::npos);
  EXPECT_NE(
      message("kv: {span: 1, heads: 2, dim: 2, when: \"$layer > 0\"}\n").find("%kv is not defined above"),
      std::string::npos);
  EXPECT_NE(message("rows: {span: 1, dim: 0}\n").find("rows dim is 0"), std::string::npos);
}

}  // namespace
}  // namespace lmc
