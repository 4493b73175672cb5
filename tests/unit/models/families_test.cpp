// What is chosen and refused by config.json alone, before any tensor is looked at.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "ir/error.h"
#include "models/language/builtin.h"
#include "models/load/model.h"
#include "tests/unit/error_of.h"
#include "tests/unit/temporary.h"

namespace lmc {
namespace {

// A checkpoint's folder with nothing but a configuration.
std::string config_folder(const std::string& json) {
  const std::string folder = temporary(::testing::UnitTest::GetInstance()->current_test_info()->name());
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/config.json") << json;
  return folder;
}

TEST(Families, a_folder_s_family_is_recognised) {
  EXPECT_EQ(builtin_for(config_folder(R"({"model_type": "gemma3_text"})")), "builtin:gemma3.yaml");
  EXPECT_EQ(builtin_for(config_folder(R"({"model_type": "qwen2"})")), "builtin:qwen2.yaml");
  const auto error = [](const std::string& json) {
    return error_of([&] { builtin_for(config_folder(json)); });
  };
  EXPECT_NE(error(R"({"model_type": "bert"})")
                .find("model_type is \"bert\"; known are cohere2, deepseek_v3, falcon"),
            std::string::npos);
  EXPECT_NE(error(R"({"model_type": 3})").find("has no text 'model_type'"), std::string::npos);
  EXPECT_NE(error("[]").find("is not a JSON object"), std::string::npos);
  EXPECT_NE(error("{").find("not well-formed JSON"), std::string::npos);
}

// What compiling a folder with this configuration says.
std::string refusal(const std::string& json) {
  return error_of([&] { load_model(config_folder(json), {}); });
}

TEST(Families, what_one_does_not_support_is_refused_by_key_and_value) {
  struct Case {
    const char *config, *message;
  };
  for (const auto& [config, message] :
       {Case{R"({"model_type": "llama", "rope_scaling": {"type": "dynamic", "factor": 4.0}})",
             R"(config.json: rope_scaling.type is "dynamic"; builtin:llama.yaml supports "default")"},
        Case{R"({"model_type": "qwen3", "rope_parameters": {"rope_type": "dynamic"}})",
             R"(config.json: rope_parameters.rope_type is "dynamic"; builtin:qwen3.yaml supports)"},
        Case{R"({"model_type": "phi3", "rope_scaling": {"type": "llama3"}})",
             R"(config.json: rope_scaling.type is "llama3"; builtin:phi3.yaml supports "default")"},
        Case{
            R"({"model_type": "gpt_oss", "quantization_config": {"quant_method": "gptq"}})",
            R"(config.json: quantization_config.quant_method is "gptq"; builtin:gpt_oss.yaml supports null)"},
        Case{R"({"model_type": "phi3", "rope_scaling": {"type": "longrope"}})",
             "rope_scaling.short_factor must be a list of 48 numbers, found null"},
        Case{R"({"model_type": "phi3", "rope_scaling": {"type": "su", "short_factor": [1, 2.5]}})",
             "rope_scaling.short_factor must be a list of 48 numbers, found one of 2: [1, 2.5]"},
        Case{R"({"model_type": "phi3", "head_dim": 4,
                 "rope_scaling": {"rope_type": "longrope", "short_factor": [1, 2], "long_factor": [1, "x"]}})",
             R"(rope_scaling.long_factor must be a list of 2 numbers, found one of 2: [1, "x"])"},
        Case{R"({"model_type": "gemma", "rope_scaling": {"rope_type": "llama3"}})",
             R"(config.json: rope_scaling.rope_type is "llama3"; builtin:gemma.yaml supports)"},
        Case{R"({"model_type": "mistral", "hidden_act": "gelu"})",
             R"(config.json: hidden_act is "gelu"; builtin:mistral.yaml supports "silu")"},
        Case{R"({"model_type": "falcon", "activation": 3})",
             R"(config.json: activation is 3; builtin:falcon.yaml supports "gelu")"}}) {
    const std::string e = refusal(config);
    EXPECT_NE(e.find(message), std::string::npos) << e;
  }
}

// A whole checkpoint with one key of its configuration changed.
std::string changed(const std::string& key, const char* value) {
  const std::string from = std::string(LMC_SOURCE_DIR) + "/tests/data/golden/llama-bias";
  std::ifstream in(from + "/config.json");
  nlohmann::json config = nlohmann::json::parse(in);
  config[key] = nlohmann::json::parse(value);
  const std::string folder = config_folder(config.dump());
  std::filesystem::copy_file(from + "/model.safetensors", folder + "/model.safetensors",
                             std::filesystem::copy_options::overwrite_existing);
  return folder;
}

TEST(Families, values_that_cannot_be_are_refused) {
  EXPECT_GT(load_model(changed("hidden_size", "48"), {}).parameters, 0);
  for (const auto& [key, value] :
       std::initializer_list<std::pair<const char*, const char*>>{{"hidden_size", "\"big\""},
                                                                  {"hidden_size", "null"},
                                                                  {"hidden_size", "-48"},
                                                                  {"hidden_size", "0"},
                                                                  {"hidden_size", "48.5"},
                                                                  {"hidden_size", "[48]"},
                                                                  {"hidden_size", "1e300"},
                                                                  {"num_hidden_layers", "-1"},
                                                                  {"num_hidden_layers", "100000000000"},
                                                                  {"num_attention_heads", "0"},
                                                                  {"num_attention_heads", "7"},
                                                                  {"num_key_value_heads", "3"},
                                                                  {"rms_norm_eps", "\"small\""},
                                                                  {"vocab_size", "true"},
                                                                  {"rope_theta", "0"},
                                                                  {"tie_word_embeddings", "\"yes\""},
                                                                  {"head_dim", "3"}}) {
    const std::string e = error_of([&] { load_model(changed(key, value), {}); });
    EXPECT_NE(e.find("llama.yaml:"), std::string::npos) << key << ": " << value << ": " << e;
    EXPECT_NE(e.find("with the values of " + temporary("")), std::string::npos) << e;
  }
}

}  // namespace
}  // namespace lmc
