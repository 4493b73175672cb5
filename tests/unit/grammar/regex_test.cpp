#include "grammar/regex.h"

#include <gtest/gtest.h>

#include <array>
#include <regex>

#include "../error_of.h"
#include "runtime/random.h"
#include "texts.h"

namespace lmc::grammar {
namespace {

bool matches(std::string_view pattern, std::string_view text) {
  return test::Texts(grammar_of_regex(pattern, "r")).takes(text);
}
bool found(std::string_view pattern, std::string_view text) {
  Grammar g;
  const RuleId root = g.add_rule("root");
  g.define(root, g.automaton(automaton_of_regex(pattern, Match::anywhere, "r")));
  g.set_root(root);
  try {
    return test::Texts(g).takes(text);
  } catch (const Error&) {
    return false;  // it matches nothing at all
  }
}

TEST(Regex, MatchesWhole) {
  EXPECT_TRUE(matches("a|bc*", "bccc"));
  EXPECT_FALSE(matches("a|bc*", "ab"));
  EXPECT_TRUE(matches("^(?:\\d{3}-)+[^x-z\\s]{2,}?$", "123-456-ab\xc3\xa9"));
  EXPECT_FALSE(matches("(\\d{3}-)+", "123-45-"));
  EXPECT_TRUE(matches("(?<year>\\d+)\\.\\x41\\u00e9\\u{1F600}[\\]\\-]", "7.A\xc3\xa9\xf0\x9f\x98\x80]"));
  EXPECT_TRUE(matches(".", "\xe2\x82\xac"));
  EXPECT_FALSE(matches(".", "\n"));
  EXPECT_TRUE(matches("[^]\\0", std::string_view("\n\0", 2)));
  EXPECT_TRUE(matches("\\w\\W\\D\\S\\t[\\b]", "_ xy\t\b"));
  EXPECT_TRUE(matches("a{0}b{2}c{1,}", "bbc"));
}

TEST(Regex, FindsAnywhereWithAnchorsWhereTheyStand) {
  EXPECT_TRUE(found("b+", "abba"));
  EXPECT_FALSE(found("^b", "abba"));
  EXPECT_TRUE(found("^a|x$", "abba"));
  EXPECT_TRUE(found("^a|x$", "zzx"));
  EXPECT_FALSE(found("^a|x$", "zxz"));
  EXPECT_TRUE(found("^$", ""));
  EXPECT_FALSE(found("^$", "a"));
  EXPECT_TRUE(found("$^", ""));
  EXPECT_FALSE(found("a^b", "ab"));
  EXPECT_TRUE(found("(^|-)x(-|$)", "a-x-b"));
  EXPECT_FALSE(found("(^|-)x(-|$)", "axb"));
}

std::string random_pattern(Random& random, int depth) {
  std::string out;
  for (uint64_t parts = random.below(3) + 1; parts > 0; --parts) {
    const uint64_t kind = depth == 0 ? random.below(3) : random.below(6);
    if (kind < 3) {
      out += "ab."[kind];
    } else {
      out += "(?:" + random_pattern(random, depth - 1);
      if (kind > 3) out += "|" + random_pattern(random, depth - 1);
      out += ")";
    }
    out += std::array{"", "", "?", "*", "+", "{2}", "{1,2}"}[random.below(7)];
  }
  return out;
}

TEST(Regex, MatchesWhatTheStandardLibraryDoes) {
  std::vector<std::string> texts = {""};
  for (size_t i = 0; texts[i].size() < 5; ++i) {
    for (const char c : {'a', 'b', 'c'}) texts.push_back(texts[i] + c);
  }
  Random random(1);
  for (int i = 0; i < 500; ++i) {
    const std::string pattern = random_pattern(random, 1);
    const std::regex expected(pattern);
    const auto a = deterministic(automaton_of_regex(pattern, Match::whole, "r"), 1 << 17);
    ASSERT_TRUE(a) << pattern;
    for (const std::string& text : texts)
      ASSERT_EQ(accepts(*a, text), std::regex_match(text, expected)) << pattern << " and " << text;
  }
}

TEST(Regex, LongOnesAreTakenAndTooLongOnesRefused) {
  EXPECT_TRUE(
      accepts(*deterministic(automaton_of_regex(std::string(8000, '.') + "a?", Match::whole, "r"), 1 << 17),
              std::string(8001, 'a')));
  EXPECT_NE(error_of([] { automaton_of_regex(std::string(60000, '.'), Match::whole, "r"); }), "");
}

TEST(Regex, RefusesByName) {
  const auto why = [](std::string_view p) {
    return error_of([&] { automaton_of_regex(p, Match::whole, "r"); });
  };
  EXPECT_EQ(why("a(?=b)"), "r:1:2: look-around ((?=…), (?!…), (?<=…), (?<!…)) is not supported");
  EXPECT_EQ(why("(a)\\1"), "r:1:4: back-references (\\1) are not supported");
  EXPECT_EQ(why("\\bword"), "r:1:1: word borders (\\b, \\B) are not supported");
  EXPECT_EQ(why("\\p{L}"), "r:1:1: Unicode properties (\\p{…}) are not supported: write the ranges");
  EXPECT_EQ(why("(?i)a"), "r:1:1: flags and other (?…) are not supported");
  EXPECT_EQ(why("a**"), "r:1:3: a repetition of a repetition needs a group around it");
  EXPECT_EQ(why("(a"), "r:1:1: this ( has no )");
  EXPECT_EQ(why("a)"), "r:1:2: this ) has no (");
  EXPECT_EQ(why("[a"), "r:1:1: this [ has no ]");
  EXPECT_EQ(why("[z-a]"), "r:1:2: this range ends before it begins");
  EXPECT_EQ(why("a{3,2}"), "r:1:2: the most turns are fewer than the least");
  EXPECT_EQ(why("a{1000000}"), "r:1:3: a count may be 100000 at most");
  EXPECT_EQ(why("\\q"), "r:1:1: there is no such escape");
  EXPECT_EQ(why("\xff"), "r:1:1: is not valid UTF-8");
  EXPECT_EQ(why("((a{1000}){1000}){1000}"),
            "r: the regular expression takes more than 131072 states; smaller repetitions help");
  EXPECT_EQ(why(std::string(300, '(') + std::string(300, ')')),
            "r:1:202: groups may be nested 200 deep at most");
}

}  // namespace
}  // namespace lmc::grammar
