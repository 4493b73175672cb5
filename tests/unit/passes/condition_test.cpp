// Conditions as text: what they mean, and what a mistake in one says.
#include "passes/pattern/condition.h"

#include <gtest/gtest.h>

#include "ir/text.h"

namespace lmc {
namespace {

class ConditionTest : public testing::Test {
 protected:
  bool holds(const std::string& text, std::string* why = nullptr) const {
    const Condition c(text, {"c", 1, 1});
    c.check({{"x", "w", "q", "y", "gone"}, {"eps", "sizes"}, {"biased"}});
    return c.holds({&graph_, &values_, &captures_, &settings_}, why);
  }
  std::string error(const std::string& text) const {
    try {
      holds(text);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }

  Graph graph_ = parse_graph(R"(graph @g (%x: f32[T,4]) {
    weight @w : bf16[8,4]
    scope layers.1.ffn
    %q = transpose(@w)
    %y = linear(%x, @w) {role=ffn_up}
    %z = linear(%x, transpose(%q)) {role=other}
    return %y, %z
  })");
  std::map<std::string, ValueId> values_ = [this] {
    std::map<std::string, ValueId> out{{"x", graph_.find_input("x")}, {"w", graph_.find_weight("w")}};
    for (OpId id : graph_.ops()) out[graph_.value(graph_.result(id)).name] = graph_.result(id);
    return out;
  }();
  std::map<std::string, Attr> captures_{{"eps", 0.5}, {"sizes", std::vector<int64_t>{8, 4}}};
  std::map<std::string, std::string> settings_{{"biased", "use"}};
};

TEST_F(ConditionTest, types_and_shapes) {
  EXPECT_TRUE(holds("dtype(%w) == bf16 and rank(%w) == 2"));
  EXPECT_TRUE(holds("rows(%w) == 8 and cols(%w) == 4 and cols(%x) == 4"));
  EXPECT_TRUE(holds("rows(%x) == T"));
  EXPECT_TRUE(holds("type(%w) == \"bf16[8,4]\""));
  EXPECT_FALSE(holds("dtype(%w) == dtype(%x)"));
  EXPECT_TRUE(holds("max(rows(%w), cols(%w)) >= 8 and min(3, 2.5) < 3"));
}

TEST_F(ConditionTest, where_values_come_from_and_go_to) {
  EXPECT_TRUE(holds("op(%y) == linear and op(%x) == input and op(%w) == weight"));
  EXPECT_TRUE(holds("role(%y) == ffn_up and attr(%y, role) in [ffn_gate, ffn_up]"));
  EXPECT_TRUE(holds("output(%y) and not output(%q) and one_use(%q) and uses(%w) == 2"));
  EXPECT_TRUE(holds("constant(%q) and constant(%w) and not constant(%x) and not constant(%y)"));
  EXPECT_TRUE(holds("scope(%y) == layers.1.ffn"));
  EXPECT_TRUE(holds("%x == %x and %x != %w"));
}

TEST_F(ConditionTest, captures_settings_and_what_is_not_there) {
  EXPECT_TRUE(holds("$eps == 0.5 and abs($eps - 1) <= 1 / 2"));
  EXPECT_TRUE(holds("$sizes == [rows(%w), cols(%w)]"));
  EXPECT_TRUE(holds("setting(biased) == use"));
  EXPECT_TRUE(holds("not has(%gone) or dtype(%gone) == f32"));
}

TEST_F(ConditionTest, words_bind_as_in_english_and_comparisons_chain) {
  EXPECT_TRUE(holds("not 1 == 2"));
  EXPECT_TRUE(holds("1 < 2 < 3 <= 3 != 4"));
  EXPECT_FALSE(holds("1 < 2 < 2"));
  EXPECT_FALSE(holds("1 == 2 == 2"));
  EXPECT_TRUE(holds("has(%x) == has(%w) == has(%q)"));
  EXPECT_TRUE(holds("(1 == 2) == has(%gone)"));
  EXPECT_TRUE(holds("1 == 1 or 1 == 2 and 1 == 3"));
  EXPECT_FALSE(holds("(1 == 1 or 1 == 2) and 1 == 3"));
  EXPECT_TRUE(holds("1 == 1 && !(1 == 2) || 1 == 3"));
}

TEST_F(ConditionTest, a_failure_shows_both_sides) {
  std::string why;
  EXPECT_FALSE(holds("rows(%w) == 8 and dtype(%w) == dtype(%x)", &why));
  EXPECT_EQ(why, "dtype(%w) is bf16, dtype(%x) is f32");
}

TEST_F(ConditionTest, mistakes_are_errors_at_their_place) {
  EXPECT_EQ(error("dtype(%w) == "), "c:1:14: expected a value, found the end of the text");
  EXPECT_EQ(error("dtype(%v) == f32"), "c:1:7: %v is no value of the pattern");
  EXPECT_EQ(error("dtyp(%w) == f32"), "c:1:1: unknown function 'dtyp'; did you mean dtype?");
  EXPECT_EQ(error("dtype(%w) == f23"), "c:1:14: there is no dtype 'f23'");
  EXPECT_EQ(error("op(%y) in [linear, silo]"), "c:1:20: unknown op 'silo'; did you mean silu?");
  EXPECT_EQ(error("rows(%w, %x) == 1"), "c:1:1: rows takes 1 arguments, found 2");
  EXPECT_EQ(error("rows(3) == 1"), "c:1:6: rows is asked of a value such as %w, found 3");
  EXPECT_EQ(error("$ep == 1"), "c:1:1: $ep is no capture of the pattern; did you mean $eps?");
  EXPECT_EQ(error("setting(bias) == use"), "c:1:9: bias is no setting of this pass; did you mean biased?");
  EXPECT_EQ(error("rows(%w)"), "c:1:1: expected a condition such as dtype(%w) == f32, found rows(%w)");
  EXPECT_EQ(error("rows(%x) < 4"), "c:1:1: expected a number, found rows(%x), which is T");
  EXPECT_EQ(error("dtype(%gone) == f32"), "c:1:7: %gone is not there; ask has(%gone) first");
  EXPECT_EQ(error("rows(%w) == 8 %x"), "c:1:15: expected the end of the expression, found '%x'");
  EXPECT_EQ(error("@w == 1"), "c:1:1: weights are called by their %value here");
}

TEST_F(ConditionTest, what_is_deep_or_long_is_refused) {
  EXPECT_NE(error(std::string(100'000, '(')).find("nested too deeply"), std::string::npos);
  std::string long_and_deep = "1";
  for (int bracket = 0; bracket < 30; ++bracket) {
    for (int i = 0; i < 900; ++i) long_and_deep += " + 1";
    long_and_deep.insert(0, 1, '(');
    long_and_deep += ")";
  }
  EXPECT_NE(error(long_and_deep).find("too long an expression"), std::string::npos);
  std::string sum = "1";
  for (int i = 0; i < 100'000; ++i) sum += "+1";
  EXPECT_NE(error(sum + " == 1").find("too long"), std::string::npos);
}

}  // namespace
}  // namespace lmc
