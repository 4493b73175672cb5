// A model file named without saying where: here, then where lmc is installed, then built in.
#include "models/load/find_model.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "models/load/model.h"
#include "tests/unit/temporary.h"

namespace lmc {
namespace {

namespace fs = std::filesystem;

class FindModel : public ::testing::Test {
 protected:
  void SetUp() override {
    shared_ = temporary("shared");
    fs::create_directories(fs::path(shared_) / "tiny");
    std::ofstream(shared_ + "/tiny/own.yaml") << "family: own\n";
  }
  void TearDown() override { fs::remove_all(shared_); }
  std::string shared_;
};

TEST_F(FindModel, what_is_there_is_taken) {
  EXPECT_EQ(find_model_file(shared_ + "/tiny/own.yaml", "/nowhere"), shared_ + "/tiny/own.yaml");
  EXPECT_EQ(find_model_file(shared_, "/nowhere"), shared_);
}

TEST_F(FindModel, the_installed_tree_comes_before_what_is_built_in) {
  EXPECT_EQ(find_model_file("tiny/own.yaml", shared_), shared_ + "/tiny/own.yaml");
  EXPECT_EQ(find_model_file("gemma3.yaml", shared_), "builtin:gemma3.yaml");
  std::ofstream(shared_ + "/gemma3.yaml") << "family: own\n";
  EXPECT_EQ(find_model_file("gemma3.yaml", shared_), shared_ + "/gemma3.yaml");
}

TEST_F(FindModel, what_is_nowhere_keeps_its_name) {
  for (const char* name : {"", "own.yaml", "tiny", "models/gemma3.yaml", "/nowhere/gemma3.yaml"})
    EXPECT_EQ(find_model_file(name, shared_), name);
}

TEST(LoadModel, a_built_in_file_needs_no_path) {
  ModelOptions options;
  options.weights = "none";
  EXPECT_EQ(load_model("llama.yaml", options).family, "llama");
}

}  // namespace
}  // namespace lmc
