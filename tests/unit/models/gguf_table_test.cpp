// The table under `gguf:` in a model file: what is wrong with one, and which family a file is given to.
#include <gtest/gtest.h>

#include <fstream>

#include "gguf_bytes.h"
#include "ir/error.h"
#include "models/load/gguf_import.h"

namespace lmc {
namespace {

std::string message_of(const std::string& gguf) {
  const std::string path = temporary("m.yaml");
  std::ofstream(path) << "extends: " LMC_SOURCE_DIR "/models/llama.yaml\nfamily: other\n" << gguf;
  try {
    read_definition(path);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(GgufTable, mistakes_are_named_with_their_line) {
  const auto expect = [](const std::string& gguf, const std::string& part) {
    const std::string message = message_of(gguf);
    EXPECT_NE(message.find(part), std::string::npos) << gguf << "\n" << message;
  };
  expect("gguf: {layer_tensors: {e.w: {name: exps, of: 4}}}\n", "have {index} in their name");
  expect("gguf: {layer_tensors: {'e.{index}.w': exps}}\n", "say of: how many");
  expect("gguf: {layer_tensors: {'e.{index}.w': {name: exps}}}\n", "say of: how many");
  expect("gguf: {config: {dim: {last: a, numbers: b}}}\n", "only one of");
  expect("gguf: {when: {}}\n", "has a key, a tensor, or nothing but a value");
  expect("gguf: {when: {nothing: a}}\n", "unknown key 'nothing'");
}

std::string family(const GgufBytes& bytes) { return builtin_for_gguf(GgufFile(bytes.file())); }

TEST(GgufTable, of_families_with_one_architecture_the_conditions_decide) {
  const auto llama = [](uint64_t more) {
    return GgufBytes().header(0, 1 + more).key_text("general.architecture", "llama");
  };
  EXPECT_EQ(family(llama(0)), "builtin:llama.yaml");
  EXPECT_EQ(family(llama(1).key_u32("llama.expert_count", 0)), "builtin:llama.yaml");
  EXPECT_EQ(family(llama(1).key_u32("llama.expert_count", 8)), "builtin:mixtral.yaml");
  EXPECT_EQ(family(llama(1).key_text("lmc.family", "mistral")), "builtin:mistral.yaml");
  EXPECT_EQ(family(llama(1).key_text("lmc.family", "mixtral")), "builtin:llama.yaml")
      << "there are no experts";
  try {
    family(llama(1).key_text("llama.expert_count", "many"));
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("t.gguf"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace lmc
