#include "ir/printable.h"

#include <gtest/gtest.h>

namespace lmc {
namespace {

TEST(Printable, escapes_what_would_move_the_cursor_and_nothing_else) {
  EXPECT_EQ(printable("a\x1b[2J\x07 b\x7f"), "a\\x1b[2J\\x07 b\\x7f");
  EXPECT_EQ(printable("two\nlines\tand ünï ▁ 🙂"), "two\nlines\tand ünï ▁ 🙂");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\u009b31m");
  EXPECT_EQ(printable("\xe2\x80\xae"
                      "gpj"),
            "\\u202egpj");
  EXPECT_EQ(printable("cut \xe2\x80"), "cut \xe2\x80");
  EXPECT_TRUE(is_printable_name("model.layers.0.ü"));
  EXPECT_FALSE(is_printable_name("two\nlines"));
  EXPECT_FALSE(is_printable_name("\x1b[0m"));
}

}  // namespace
}  // namespace lmc
