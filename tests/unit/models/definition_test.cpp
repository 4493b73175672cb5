// Model files: the language, and where its errors point.
#include "models/language/definition.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "ir/verify.h"
#include "models/language/builtin.h"
#include "models/language/yaml_tree.h"
#include "models/load/model.h"
#include "tests/unit/error_of.h"
#include "tests/unit/temporary.h"

namespace lmc {
namespace {

ConfigValue eval(const std::string& text, const ConfigMap& config = {}) {
  return evaluate_expr(syntax::parse_expr(text, "test"), config);
}

TEST(Expressions, arithmetic_stays_whole_where_it_can) {
  EXPECT_EQ(eval("2 + 3 * 4").str(), "14");
  EXPECT_EQ(eval("12 / 4").str(), "3");
  EXPECT_EQ(eval("1 / 4").str(), "0.25");
  EXPECT_EQ(eval("(1 + 6) % 6 == 1").str(), "1");
  // The last digit is the C library's, which picks its code by CPU.
  EXPECT_TRUE(eval("pow(24, -0.5)").str().starts_with("0.204124145231931"));
  EXPECT_EQ(eval("-$n", {{"n", {int64_t{3}}}}).str(), "-3");
}

TEST(Expressions, null_lists_and_text_can_be_asked_about) {
  const ConfigMap c = {{"none", {}},
                       {"kinds", {std::vector<ConfigValue>{{std::string("a")}, {std::string("b")}}}}};
  EXPECT_EQ(eval("default($none, 7)", c).str(), "7");
  EXPECT_EQ(eval("if(is_null($none), 1, at($kinds, 5))", c).str(), "1");
  EXPECT_EQ(eval("at($kinds, 1) == \"b\"", c).str(), "1");
  EXPECT_EQ(eval("in(\"b\", $kinds) && !in(\"c\", $kinds) && !in(1, $none) && in(2.0, [1, 2])", c).str(),
            "1");
  EXPECT_EQ(eval("!is_null($none) || 2 > 1 && 1 != 2", c).str(), "1");
}

TEST(Expressions, mistakes_are_errors) {
  for (const char* text : {"1 / 0", "1 % 0", "$unknown", "nothing(1)", "at([1], 1)", "in(1, 2)", "\"a\" + 1",
                           "9223372036854775807 + 1", "1 +", "if(1, 2)", "!\"a\""}) {
    EXPECT_THROW(eval(text), Error) << text;
  }
}

TEST(Yaml, values_carry_their_lines) {
  const YamlNode n = parse_yaml("a: 1\nb:\n  - x\n  - |\n    text\n", "f.yaml");
  EXPECT_EQ(n.find("a")->loc.line, 1);
  EXPECT_EQ(n.find("b")->items[1].text_line, 5);
}

TEST(Yaml, aliases_work_where_they_are_harmless) {
  EXPECT_EQ(parse_yaml("a: &x [1, 2]\nb: *x\n", "f.yaml").find("b")->items.size(), 2U);
}

TEST(Yaml, what_yaml_cpp_accepts_or_crashes_on_is_refused) {
  for (const char* text : {"a: 1\na: 2\n", "a: &x [*x]\n", "a: 1\n---\nb: 2\n", "", "a: [1\n", "? [1]\n: 2\n",
                           "\t- a", "a: *none\n"}) {
    EXPECT_THROW(parse_yaml(text, "f.yaml"), Error) << text;
  }
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "[";
  EXPECT_THROW(parse_yaml(deep, "f.yaml"), Error);
}

TEST(Yaml, any_cut_of_a_model_file_is_read_or_refused_without_a_crash) {
  std::ifstream in(std::string(LMC_SOURCE_DIR) + "/models/gpt2.yaml");
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  const std::string path = temporary("cut.yaml");
  for (size_t n = 0; n < text.size(); n += 7) {
    std::ofstream(path) << text.substr(0, n);
    try {
      read_definition(path);
    } catch (const Error&) {
    }
  }
}

Model made(const std::string& file, const std::string& size) {
  ModelOptions o;
  o.weights = "none";
  o.size = size;
  return load_model(std::string(LMC_SOURCE_DIR) + "/models/" + file, o);
}

TEST(Models, full_shapes_have_the_published_sizes) {
  EXPECT_EQ(made("gemma3.yaml", "1b").parameters, 999885952);
  EXPECT_EQ(made("gemma3.yaml", "270m").parameters, 268098176);
  EXPECT_EQ(made("gpt2.yaml", "124m").parameters, 124439808);
  EXPECT_EQ(made("gpt2.yaml", "1558m").parameters, 1557611200);
  EXPECT_EQ(made("llama.yaml", "3.2-1b").parameters, 1235814400);
  EXPECT_EQ(made("llama.yaml", "3.1-8b").parameters, 8030261248);
  EXPECT_EQ(made("llama.yaml", "tinyllama-1.1b").parameters, 1100048384);
  EXPECT_EQ(made("llama.yaml", "smollm2-135m").parameters, 134515008);
  EXPECT_EQ(made("mistral.yaml", "7b-v0.1").parameters, 7241732096);
  EXPECT_EQ(made("mixtral.yaml", "8x7b").parameters, 46702792704);
  EXPECT_EQ(made("qwen2.yaml", "2.5-0.5b").parameters, 494032768);
  EXPECT_EQ(made("qwen3.yaml", "0.6b").parameters, 596049920);
  EXPECT_EQ(made("gemma.yaml", "2b").parameters, 2506172416);
  EXPECT_EQ(made("gemma2.yaml", "2b").parameters, 2614341888);
  EXPECT_EQ(made("phi3.yaml", "mini-4k").parameters, 3821079552);
  EXPECT_EQ(made("falcon.yaml", "7b").parameters, 6921720704);
  EXPECT_EQ(made("falcon.yaml", "rw-1b").parameters, 1311625216);
  EXPECT_EQ(made("lfm2.yaml", "350m").parameters, 354483968);
  EXPECT_EQ(made("lfm2.yaml", "1.2b").parameters, 1170340608);
  EXPECT_EQ(made("lfm2.yaml", "2.6b").parameters, 2569272320);
  EXPECT_EQ(made("granite_hybrid.yaml", "h-tiny").parameters, 6939037248);
  EXPECT_EQ(made("deepseek_v3.yaml", "v3").parameters, 671026419200);
}

TEST(Models, every_named_size_makes_a_sound_graph) {
  for (const std::string& file : builtin_names()) {
    for (const auto& [size, config] : read_definition(kBuiltin + file).sizes) verify(made(file, size).graph);
  }
}

TEST(Models, layers_state_their_windows) {
  const Model m = made("gemma3.yaml", "1b");
  EXPECT_EQ(m.graph.type(m.graph.find_input("kv.0")).str(), "kv_f16[512,1,256]");
  EXPECT_EQ(m.graph.type(m.graph.find_input("kv.5")).str(), "kv_f16[32768,1,256]");
}

TEST(Models, a_context_beyond_the_model_s_is_refused) {
  ModelOptions o;
  o.weights = "none";
  o.context = 4096;
  EXPECT_THROW(load_model(std::string(LMC_SOURCE_DIR) + "/models/gpt2.yaml", o), Error);
}

const std::string kExtendsLlama = std::string("extends: ") + LMC_SOURCE_DIR + "/models/llama.yaml\n";

std::string model_file(const std::string& name, const std::string& text) {
  std::ofstream(temporary(name)) << text;
  return temporary(name);
}

TEST(Extends, tables_grow_and_null_takes_away) {
  const Definition base = read_definition(kBuiltin + "llama.yaml");
  const Definition d = read_definition(model_file("grown.yaml", kExtendsLlama + R"(family: grown
defaults: {rope_theta: 5.0, head_dim: null, new_key: 1}
layer_weights:
  self_attn.q_proj.bias: null
  extra.weight: [$dim]
)"));
  EXPECT_EQ(d.defaults.at("rope_theta").str(), "5");
  EXPECT_TRUE(d.defaults.at("head_dim").is_null());
  EXPECT_EQ(d.defaults.size(), base.defaults.size() + 1);
  EXPECT_EQ(d.layer_weights.size(), base.layer_weights.size());
  EXPECT_EQ(d.layer_weights.back().name, "extra.weight");
  EXPECT_NE(error_of([] {
              read_definition(model_file("bad.yaml", kExtendsLlama + "config: {nothing: null}\n"));
            }).find("'nothing' is not there to be removed"),
            std::string::npos);
}

TEST(Weights, one_that_is_not_there_can_only_be_an_optional_operand) {
  const std::string file = model_file("absent.yaml", kExtendsLlama + R"(family: absent
layer_weights:
  input_layernorm.weight: {shape: [$dim], when: false}
)");
  ModelOptions o;
  o.weights = "none";
  EXPECT_NE(error_of([&] { load_model(file, o); }).find("@input_layernorm.weight is not there"),
            std::string::npos);
}

TEST(Weights, a_stack_says_how_its_tensors_are_called_and_how_many_there_are) {
  const auto error = [](const std::string& weight) {
    const std::string file =
        model_file("stack.yaml", std::string("extends: ") + LMC_SOURCE_DIR +
                                     "/models/mixtral.yaml\nfamily: stacked\nlayer_weights:\n" +
                                     "  experts.w1.weight: " + weight + "\n");
    ModelOptions o;
    o.weights = "none";
    o.size = "small";
    return error_of([&] { load_model(file, o); });
  };
  EXPECT_EQ(error(R"({shape: [$ffn, $dim], stack: "block.{index}.w", of: $experts})"), "");
  EXPECT_EQ(error(R"({shape: [$ffn, $dim], stack: "block.{index}.w", of: $experts, when: true})"), "");
  EXPECT_NE(error(R"({shape: [$ffn, $dim], stack: "block.{index}.w", of: $experts, when: false})")
                .find("is not there"),
            std::string::npos);
  EXPECT_NE(error(R"({shape: [$ffn, $dim], stack: "block.w", of: $experts})").find("which 'block.w' lacks"),
            std::string::npos);
  EXPECT_NE(error(R"({shape: [$ffn, $dim], stack: "block.{index}.w"})").find("shape:, stack: and of:"),
            std::string::npos);
  EXPECT_NE(error(R"({shape: [$ffn, $dim], stack: "block.{index}.w", of: 0})").find("a stack of 0 tensors"),
            std::string::npos);
  EXPECT_NE(error(R"({shape: [$dim, $ffn], stack: "block.{index}.w", of: $experts})").find("expected x of"),
            std::string::npos);
}

}  // namespace
}  // namespace lmc
