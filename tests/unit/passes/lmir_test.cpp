// Every tests/passes/*.lmir: run the passes its first line names (built in, or an .lmpass file of this tree)
// and compare with the text behind `// ---- after`. LMC_BLESS=1 rewrites the expectations. Each file is also
// a test of round trip, soundness, idempotence and (for exact passes) equal numbers.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "ir/error.h"
#include "passes/engine/pass_test.h"
#include "tests/unit/temporary.h"

namespace lmc {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> files() {
  std::vector<std::string> out;
  for (const auto& e : fs::directory_iterator(std::string(LMC_SOURCE_DIR) + "/tests/passes"))
    out.push_back(e.path().string());
  std::sort(out.begin(), out.end());
  return out;
}

class LmirFile : public testing::TestWithParam<std::string> {};

TEST_P(LmirFile, gives_the_expected_graph) {
  const bool bless = std::getenv("LMC_BLESS") != nullptr;
  for (const std::string& wrong : run_pass_test(GetParam(), {LMC_SOURCE_DIR, bless})) ADD_FAILURE() << wrong;
}

INSTANTIATE_TEST_SUITE_P(All, LmirFile, testing::ValuesIn(files()),
                         [](const auto& info) { return fs::path(info.param).stem().string(); });

std::string written(const std::string& name, const std::string& text) {
  const std::string path = temporary(name);
  std::ofstream(path) << text;
  return path;
}

const char* const kSilu =
    "graph @g (%x: f32[T,4]) {\n  %a = scale(%x) {by=1} : f32[T,4]\n"
    "  %y = silu(%a) : f32[T,4]\n  return %y\n}\n";

TEST(PassTest, what_comes_out_otherwise_is_shown_by_its_line) {
  const std::string path =
      written("wrong.lmir", std::string("// RUN: canonicalise\n") + kSilu + "// ---- after\n" + kSilu);
  const std::vector<std::string> wrong = run_pass_test(path, {});
  ASSERT_EQ(wrong.size(), 1u);
  EXPECT_EQ(wrong[0],
            "line 2 of the result: expected '  %a = scale(%x) {by=1} : f32[T,4]', found '  %y = silu(%x) : "
            "f32[T,4]'");
  EXPECT_TRUE(run_pass_test(path, {"", true}).empty()) << "blessed";
  EXPECT_TRUE(run_pass_test(path, {}).empty());
}

TEST(PassTest, an_error_that_does_not_come_is_a_failure) {
  const std::string path =
      written("no_error.lmir", std::string("// RUN: canonicalise\n") + kSilu + "// ---- error: something\n");
  EXPECT_EQ(run_pass_test(path, {}),
            std::vector<std::string>{"expected an error with 'something', and there was none"});
}

TEST(PassTest, a_file_that_is_no_test_is_refused) {
  EXPECT_THROW(run_pass_test("/no/such.lmir", {}), Error);
  EXPECT_THROW(run_pass_test(written("a.lmir", kSilu), {}), Error) << "no RUN line";
  EXPECT_THROW(run_pass_test(written("b.lmir", std::string("// RUN: canonicalise\n") + kSilu), {}), Error);
  EXPECT_THROW(
      run_pass_test(written("c.lmir", std::string("// RUN: nothing\n") + kSilu + "// ---- after\n"), {}),
      Error);
  EXPECT_THROW(
      run_pass_test(written("d.lmir", std::string("// RUN: canonicalise\n") + kSilu + "// ---- later\n"), {}),
      Error);
}

}  // namespace
}  // namespace lmc
