// The command line as data: what completion and the manual page are made of.
#include "tools/describe/description.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace lmc {
namespace {

// Option `name` of a command; fails the test where there is none.
OptionDescription option(const std::string& command, const std::string& name) {
  for (const CommandDescription& c : describe_program().commands) {
    if (c.name != command) continue;
    for (const auto* list : {&c.options, &c.positionals}) {
      for (const OptionDescription& o : *list) {
        if (std::find(o.names.begin(), o.names.end(), name) != o.names.end()) return o;
      }
    }
  }
  ADD_FAILURE() << "lmc " << command << " has no " << name;
  return {};
}

TEST(Description, values_are_told_by_kind) {
  const OptionDescription kv = option("compile", "--kv");
  EXPECT_EQ(kv.takes, Takes::choice);
  EXPECT_EQ(kv.choices, (std::vector<std::string>{"f16", "f32", "q8_0"}));
  EXPECT_EQ(option("run", "bundle").takes, Takes::bundle);
  EXPECT_EQ(option("compile", "model").takes, Takes::model);
  EXPECT_EQ(option("compile", "--weights").takes, Takes::checkpoint);
  EXPECT_EQ(option("compile", "--calibrate").takes, Takes::file);  // by its check alone
  EXPECT_EQ(option("run", "--prompt").takes, Takes::text);
  EXPECT_EQ(option("run", "--json").takes, Takes::nothing);
  EXPECT_EQ(option("compile", "--quant").type, "RULES");
}

TEST(Description, names_limits_defaults_and_counts) {
  const OptionDescription threads = option("run", "--threads");
  EXPECT_EQ(threads.names, (std::vector<std::string>{"-t", "--threads"}));
  EXPECT_EQ(threads.limits, "1 - 1024");
  EXPECT_EQ(threads.values, 1);
  EXPECT_FALSE(threads.repeatable);
  EXPECT_EQ(option("run", "--max-tokens").fallback, "128");
  EXPECT_TRUE(option("run", "--stop").repeatable);
  EXPECT_EQ(option("eval", "--compare").values, 2);
  EXPECT_TRUE(option("compile", "model").required);
  EXPECT_FALSE(option("run", "bundle").required);
}

TEST(Description, hidden_options_are_left_out) {
  for (const CommandDescription& c : describe_program().commands) {
    for (const OptionDescription& o : c.options) EXPECT_NE(o.names.back(), "--first-token") << c.name;
  }
}

TEST(Description, a_summary_is_one_short_line) {
  EXPECT_EQ(summary("threads (default: physical cores)"), "threads (default: physical cores)");
  const std::string more = std::string(80, 'x');
  EXPECT_EQ(summary("of the draw, they say (default: none); " + more), "of the draw, they say");
  EXPECT_EQ(summary("a file of prompts, one a line " + more), "a file of prompts");
  EXPECT_EQ(summary("a file of prompts " + more), "a file of prompts …");
}

}  // namespace
}  // namespace lmc
