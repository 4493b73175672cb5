// A prompt's cache on disk, with the model that tests of the runtime use.
#include "tools/generate/prompt_cache.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "../runtime/toy_model.h"
#include "tests/unit/temporary.h"
#include "tools/cli/console.h"
#include "tools/system/files.h"

namespace lmc {
namespace {

namespace fs = std::filesystem;
using test::some_tokens;
using test::ToyModel;
using Ids = std::vector<int32_t>;

const std::string kModel(64, 'a');

class PromptCacheTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = temporary(testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  std::string file() const { return folder_ + "/prompt.kv"; }
  size_t files() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  // Runs the prompt as lmc run does; how many of its tokens were known. The logits must be the reference's.
  int64_t run(const std::string& path, const Ids& prompt, const std::string& model = kModel) {
    const auto session = model_.session();
    PromptCache cache(path, model);
    const int64_t known = cache.load(*session, prompt);
    const auto logits = session->step(std::span(prompt).subspan(static_cast<size_t>(known)));
    EXPECT_EQ((std::vector<float>(logits.begin(), logits.end())), model_.reference(prompt));
    cache.save(*session);
    return known;
  }
  std::string error(const std::string& path, const std::string& model = kModel) {
    try {
      run(path, some_tokens(20), model);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }

  ToyModel model_{10, 200, 16, 16};
  std::string folder_;
};

TEST_F(PromptCacheTest, WhatBeginsAlikeIsFedOnce) {
  Ids prompt = some_tokens(40);
  EXPECT_EQ(run(file(), prompt), 0);
  EXPECT_EQ(run(file(), prompt), 39) << "the last token's logits are wanted";
  prompt.resize(50, 7);
  EXPECT_EQ(run(file(), prompt), 40);
  EXPECT_EQ(run(file(), prompt), 49) << "the longer sequence took its place";
  prompt.resize(45);
  EXPECT_EQ(run(file(), prompt), 44) << "rolled back within the ring";
  EXPECT_EQ(run(file(), some_tokens(1)), 0);
  EXPECT_EQ(files(), 1U);
}

TEST_F(PromptCacheTest, AFolderKeepsOneFileForEachPromptAndModel) {
  const Ids one = some_tokens(100);
  Ids other = one;
  other[20] = 49;
  EXPECT_EQ(run(folder_, one), 0);
  EXPECT_EQ(run(folder_, other), 0) << "the ring has lost what position 20 sees";
  EXPECT_EQ(run(folder_, one), 99);
  EXPECT_EQ(run(folder_, other), 99);
  EXPECT_EQ(files(), 2U);
  EXPECT_EQ(run(folder_, one, std::string(64, 'b')), 0);
  EXPECT_EQ(files(), 3U);
}

TEST_F(PromptCacheTest, AnyDamageIsNoticed) {
  run(file(), some_tokens(20));
  const std::string whole = read_file(file());
  for (size_t size = 0; size < whole.size(); size += size < 200 ? 1 : 97) {
    write_file(file(), whole.substr(0, size));
    EXPECT_NE(error(file()).find(size < 16 ? "is not a prompt cache" : "is damaged"), std::string::npos)
        << size;
  }
  for (size_t at = 16; at < whole.size(); at += at < 300 ? 7 : 61) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    write_file(file(), changed);
    EXPECT_NE(error(file()), "") << "byte " << at;
  }
  write_file(file(), whole + "x");
  EXPECT_NE(error(file()).find("is damaged"), std::string::npos);
  write_file(file(), whole);
  EXPECT_EQ(run(file(), some_tokens(20)), 19);
}

TEST_F(PromptCacheTest, OtherModelsFilesAndOtherFilesAreRefusedAndLeftAlone) {
  run(file(), some_tokens(20));
  EXPECT_NE(error(file(), std::string(64, 'b')).find("is of another bundle"), std::string::npos);
  write_file(folder_ + "/notes.txt", "dear diary, this is not a cache");
  EXPECT_NE(error(folder_ + "/notes.txt").find("notes.txt: is not a prompt cache"), std::string::npos);
  EXPECT_EQ(read_file(folder_ + "/notes.txt"), "dear diary, this is not a cache");
  EXPECT_NE(error(folder_ + "/no/such").find("no such folder"), std::string::npos);
  EXPECT_NE(error(folder_ + "/nosuch/").find("no such folder"), std::string::npos);
}

TEST_F(PromptCacheTest, ADamagedFileOfAFolderIsPassedOver) {
  run(folder_, some_tokens(20));
  for (const auto& entry : fs::directory_iterator(folder_)) {
    std::string bytes = read_file(entry.path());
    bytes[bytes.size() - 100] ^= 1;
    write_file(entry.path(), bytes);
  }
  EXPECT_EQ(run(folder_, some_tokens(20)), 0);
  EXPECT_EQ(run(folder_, some_tokens(20)), 19) << "and written again";
}

// Sequences on both sides of longrope's border have nothing in common.
TEST_F(PromptCacheTest, RopeFactorsAreThoseOfTheWholePrompt) {
  model_ = ToyModel(100, 200, 16, 16, 30);
  EXPECT_EQ(run(file(), some_tokens(28)), 0);
  EXPECT_EQ(run(file(), some_tokens(30)), 28);
  EXPECT_EQ(run(file(), some_tokens(31)), 0);
  EXPECT_EQ(run(file(), some_tokens(35)), 31);
  EXPECT_EQ(run(file(), some_tokens(30)), 0);
  EXPECT_EQ(run(file(), some_tokens(30)), 29) << "what could not be used gave way";
}

}  // namespace
}  // namespace lmc
