#include "tools/generate/stop_strings.h"

#include <gtest/gtest.h>

#include "tools/cli/console.h"

namespace lmc {
namespace {

// All that is shown of `text`, cut into pieces of `n` bytes.
std::string shown(const std::vector<std::string>& stops, const std::string& text, size_t n) {
  StopStrings s(stops);
  std::string out;
  for (size_t at = 0; at < text.size(); at += n) out += s.push(text.substr(at, n));
  return out + s.flush();
}

TEST(StopStrings, AreFoundAcrossPiecesAndNeverShown) {
  for (size_t n = 1; n < 12; ++n) {
    EXPECT_EQ(shown({"\nUser:"}, "one\ntwo\nUser: three", n), "one\ntwo") << n;
    EXPECT_EQ(shown({"ab", "ba"}, "xxbabab", n), "xx") << n;
    EXPECT_EQ(shown({"aab"}, "aaaab", n), "aa") << n;
    EXPECT_EQ(shown({"###"}, "a ## b ## c#", n), "a ## b ## c#") << n;
    EXPECT_EQ(shown({}, "nothing stops this", n), "nothing stops this") << n;
  }
}

TEST(StopStrings, TheEarliestOfSeveralCounts) {
  EXPECT_EQ(shown({"later", "soon"}, "now soon or later", 100), "now ");
  EXPECT_EQ(shown({"xyz", "y"}, "wxyz", 100), "w") << "the match that starts first";
  EXPECT_EQ(shown({"abcd", "b"}, "abX", 1), "a");
}

TEST(StopStrings, OnlyAnEndingThatMayMatchIsHeldBack) {
  StopStrings s({"</s>"});
  EXPECT_EQ(s.push("a <"), "a ");
  EXPECT_EQ(s.push("b>"), "<b>");
  EXPECT_EQ(s.push("</s"), "");
  EXPECT_FALSE(s.matched());
  EXPECT_EQ(s.push(">more"), "");
  EXPECT_TRUE(s.matched());
  EXPECT_EQ(s.push("more"), "");
  EXPECT_EQ(s.flush(), "");
}

TEST(StopStrings, AnEmptyOneIsRefused) { EXPECT_THROW(StopStrings({"a", ""}), UsageError); }

}  // namespace
}  // namespace lmc
