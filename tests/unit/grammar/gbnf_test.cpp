#include "grammar/gbnf.h"

#include <gtest/gtest.h>

#include "../error_of.h"
#include "texts.h"

namespace lmc::grammar {
namespace {

using test::Texts;

Texts gbnf(std::string_view text) { return Texts(grammar_of_gbnf(text, "g")); }

TEST(Gbnf, ReadsWhatItsGuideShows) {
  Texts list = gbnf(
      "# a list\nroot ::= item+\nitem ::= \"- \" [^\\r\\n\\x0b\\x0c\\x85\\u2028\\u2029]+ \"\\n\" # of "
      "lines\n");
  EXPECT_TRUE(list.takes("- milk\n- Brötchen\n"));
  EXPECT_FALSE(list.takes("- milk"));
  EXPECT_TRUE(list.begins("- milk"));
  EXPECT_FALSE(list.begins("* milk"));
  EXPECT_FALSE(list.begins("- \xe2\x80\xa8"));

  Texts arithmetic = gbnf(R"g(root  ::= (expr "=" term "\n")+
expr  ::= term ([-+*/] term)*
term  ::= num | "(" expr ")"
num   ::= [0-9]+)g");
  EXPECT_TRUE(arithmetic.takes("1+(2*3)=7\n(((4)))=4\n"));
  EXPECT_FALSE(arithmetic.begins("1+(2*3))"));

  Texts counts = gbnf("root ::= \"a\"{2} \"b\"{1,3} \"c\"{2,} [d-f]{0,1} .");
  EXPECT_TRUE(counts.takes("aabccx"));
  EXPECT_TRUE(counts.takes("aabbbcccce\xf0\x9f\x98\x80"));
  EXPECT_FALSE(counts.begins("aaa"));
  EXPECT_FALSE(counts.begins("aabbbb"));
}

TEST(Gbnf, CountsWithoutWritingOut) {
  Texts g = gbnf(
      "root ::= (\"ab\" | \"c\" [x-z]? [0-9]{3} \"long enough to be counted and not to be copied "
      "around\"){2,90000}");
  std::string text;
  const std::string turn = "cx123long enough to be counted and not to be copied around";
  EXPECT_FALSE(g.takes(turn));
  for (int i = 0; i < 3000; ++i) text += i % 2 == 0 ? turn : "ab";
  EXPECT_TRUE(g.takes(text));
}

TEST(Gbnf, RefusesWithThePlace) {
  const auto why = [](std::string_view text) { return error_of([&] { Texts(grammar_of_gbnf(text, "g")); }); };
  EXPECT_EQ(why("root ::= item\n"), "g:1:10: rule item is used, but not defined");
  EXPECT_EQ(why("a ::= \"x\"\n"), "g:1:1: there is no rule root, with which a text begins");
  EXPECT_EQ(why("root ::= \"x\"\nroot ::= \"y\""), "g:2:1: rule root is defined twice");
  EXPECT_EQ(why("root ::= \"x"), "g:1:10: this literal has no second \"");
  EXPECT_EQ(why("root ::= [a-"), "g:1:10: this [ has no ]");
  EXPECT_EQ(why("root ::= (\"a\""), "g:1:10: this ( has no )");
  EXPECT_EQ(why("root ::= \"a\"{3,1}"), "g:1:13: the most turns are fewer than the least");
  EXPECT_EQ(why("root ::= \"a\"{200000}"), "g:1:14: a count may be 100000 at most");
  EXPECT_EQ(why("root ::= \"\\q\""), "g:1:11: there is no such escape");
  EXPECT_EQ(why("root = \"a\""), "g:1:6: ::= should stand here");
  EXPECT_EQ(why("root ::= <[12]>"),
            "g:1:10: tokens in a grammar (<…>, !) are not supported: write their text");
  EXPECT_EQ(why("root ::= \"\xff\""), "g:1:11: is not valid UTF-8");
  EXPECT_EQ(why("root ::= root \"a\" | \"b\""),
            "rule root begins with itself (left recursion): write it with a repetition, x (\"+\" x)* for x "
            "\"+\" x");
  EXPECT_NE(why("root ::= a\na ::= \"\" b\nb ::= \"x\"? a | \"z\"").find("left recursion"),
            std::string::npos);
  EXPECT_NE(why("root ::= \"a\" root").find("no text has an end under this grammar: rule root"),
            std::string::npos);
  EXPECT_EQ(why("root ::= " + std::string(300, '(') + "\"a\"" + std::string(300, ')')),
            "g:1:211: groups may be nested 200 deep at most");
  EXPECT_EQ(why(std::string((1 << 20) + 1, '#')), "g: a grammar may have 1048576 bytes at most");
  // A megabyte of rules, each calling the next.
  std::string chain = "root ::= r0\n";
  for (int i = 0; chain.size() < 1000000; ++i)
    chain += "r" + std::to_string(i) + " ::= \"a\" r" + std::to_string(i + 1) + " | \"b\"\n";
  const size_t last = chain.rfind("\nr", chain.size() - 2);
  EXPECT_EQ(why(chain.substr(0, last) + "\nr" + chain.substr(last + 2, chain.find(' ', last) - last - 2) +
                " ::= \"z\""),
            "");
}

}  // namespace
}  // namespace lmc::grammar
