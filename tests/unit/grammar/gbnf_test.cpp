#include "grammar/gbnf.h"

#include <gtest/gtest.h>

#include "../error_of.h"
#include "texts.h"

namespace lmc::grammar {
namespace {

using test::Texts;

Texts of(std::string_view text) { return Texts(grammar_of_gbnf(text, "g")); }

TEST(Gbnf, ReadsWhatItsGuideShows) {
  Texts list = of("# a list\nroot ::= item+\nitem ::= \"- \" [^\\r\\n\\x0b\\x0c\\x85\\u2028\\u2029]+ \"\\n\" # of lines\n");
  EXPECT_TRUE(list.takes("- milk\n- Brötchen\n"));
  EXPECT_FALSE(list.takes("- milk"));
  EXPECT_TRUE(list.begins("- milk"));
  EXPECT_FALSE(list.begins("* milk"));
  EXPECT_FALSE(list.begins("- \xe2\x80\xa8"));

  Texts arithmetic = of(R"g(root  ::= (expr "=" term "\n")+
expr  ::= term ([-+*/] term)*
term  ::= num | "(" expr ")"
num   ::= [0-9]+)g");
  EXPECT_TRUE(arithmetic.takes("1+(2*3)=7\n(((4)))=4\n"));
  EXPECT_FALSE(arithmetic.begins("1+(2*3))"));

  Texts counts = of("root ::= \"a\"{2} \"b\"{1,3} \"c\"{2,} [d-f]{0,1} .");
  EXPECT_TRUE(counts.takes("aabccx"));
  EXPECT_TRUE(counts.takes("aabbbcccce\xf0\x9f\x98\x80"));
  EXPECT_FALSE(counts.begins("aaa"));
  EXPECT_FALSE(counts.begins("aabbbb"));
}

TEST(Gbnf, CountsWithoutWritingOut) {
  Texts g = of("root ::= (\"ab\" | \"c\" [x-z]? [0-9]{3} \"long enough to be counted and not to be copied around\"){2,90000}");
  std::string text;
  const std::string turn = "cx123long enough to be counted and not to be copied around";
  EXPECT_FALSE(g.takes(turn));
  for (int i = 0; i < 3000; ++i) text += i % 2 == 0 ? turn : "ab";
  EXPECT_TRUE(g.takes(text));
}

}  // namespace
}  // namespace lmc::grammar
