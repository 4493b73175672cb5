// Every tests/passes/*.lmir: run the passes its first line names (built in, or an .lmpass file of this tree)
// and compare with the text behind `// ---- after`. LMC_BLESS=1 rewrites the expectations. Each file is also
// a test of round trip, soundness, idempotence and (for exact passes) equal numbers.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "ir/text.h"
#include "ir/verify.h"
#include "passes/lmpass.h"
#include "passes/manager.h"

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

std::string read(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// The name of the pass in a file, which is loaded on first use.
std::string loaded(const std::string& file) {
  const std::string path = std::string(LMC_SOURCE_DIR) + "/" + file;
  const std::string name = parse_lmpass(read(path), path).name;
  if (!is_pass(name)) load_pass_files({path});
  return name;
}

// "fuse-qkv,passes/examples/qkv.lmpass --set quantize.min_dim=64"
PassOptions options_of(const std::string& run_line) {
  PassOptions o;
  o.repro_path.clear();
  std::istringstream words(run_line);
  std::string word;
  words >> word;
  std::istringstream names(word);
  o.only.emplace();
  for (std::string name; std::getline(names, name, ',');)
    o.only->push_back(name.ends_with(".lmpass") ? loaded(name) : name);
  while (words >> word) {
    EXPECT_EQ(word, "--set");
    words >> word;
    add_setting(o, word);
  }
  return o;
}

class LmirFile : public testing::TestWithParam<std::string> {};

TEST_P(LmirFile, gives_the_expected_graph) {
  const std::string text = read(GetParam());
  const size_t marker = text.find("// ---- ");
  ASSERT_NE(marker, std::string::npos) << "no expectation";
  ASSERT_TRUE(text.starts_with("// RUN: "));
  const PassOptions options = options_of(text.substr(8, text.find('\n') - 8));
  const std::string input = text.substr(0, marker);
  const size_t line_end = std::min(text.find('\n', marker), text.size());
  const std::string kind = text.substr(marker + 8, line_end - marker - 8);
  const std::string expected = line_end < text.size() ? text.substr(line_end + 1) : "";

  if (kind.starts_with("error: ")) {
    try {
      Graph g = parse_graph(input);
      run_passes(g, options);
      FAIL() << "no error";
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(kind.substr(7)), std::string::npos) << e.what();
    }
    return;
  }
  const Graph before = parse_graph(input);
  EXPECT_EQ(print_graph(parse_graph(print_graph(before))), print_graph(before));
  Graph g = before.clone();
  bool exact = true;
  for (const PassReport& r : run_passes(g, options))
    exact = exact && (find_pass(r.pass).exact() || !r.changed);
  verify(g);
  const std::string after = print_graph(g);
  EXPECT_EQ(print_graph(parse_graph(after)), after) << "round trip";
  Graph again = parse_graph(after);
  for (const PassReport& r : run_passes(again, options))
    EXPECT_FALSE(r.changed) << r.pass << " is not idempotent";
  if (exact) {
    for (const CheckResult& c : NumericGate(before, nullptr).compare(before, g))
      EXPECT_LE(c.max_rel, kExactTolerance);
  }
  if (kind == "unchanged") {
    EXPECT_EQ(after, print_graph(before));
  } else if (std::getenv("LMC_BLESS")) {
    std::ofstream(GetParam()) << input << "// ---- after\n" << after;
  } else {
    EXPECT_EQ(after, expected);
  }
}

INSTANTIATE_TEST_SUITE_P(All, LmirFile, testing::ValuesIn(files()),
                         [](const auto& info) { return fs::path(info.param).stem().string(); });

}  // namespace
}  // namespace lmc
