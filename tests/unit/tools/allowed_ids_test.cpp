#include "tools/generate/allowed_ids.h"

#include <gtest/gtest.h>

#include <vector>

#include "ir/error.h"

namespace lmc {
namespace {

std::vector<int64_t> ids_of(const std::string& text) {
  const IdSet ids = allowed_ids_in(text, "ids.txt", 1000);
  std::vector<int64_t> out;
  for (int64_t id = 0; id < 1000; ++id) {
    if (ids.contains(id)) out.push_back(id);
  }
  return out;
}

std::string why_not(const std::string& text) {
  try {
    ids_of(text);
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}

TEST(AllowedIds, AreIdsAndRangesInAnyOrder) {
  EXPECT_EQ(ids_of("7-9,3\n999 # the last\n\t0\r\n8-10, 8"), (std::vector<int64_t>{0, 3, 7, 8, 9, 10, 999}));
  EXPECT_EQ(ids_of("0-999").size(), 1000U);
}

TEST(AllowedIds, MistakesAreNamedWithTheirLine) {
  EXPECT_EQ(why_not("# nothing\n"), "ids.txt: names no token: nothing could be chosen");
  EXPECT_EQ(why_not("1\n5-x"), "ids.txt:2: '5-x' is no token id, nor a range such as 5-10");
  EXPECT_EQ(why_not("--5"), "ids.txt:1: '--5' is no token id, nor a range such as 5-10");
  EXPECT_EQ(why_not("9-5"), "ids.txt:1: '9-5' ends before it begins");
  EXPECT_EQ(why_not("1,\n\n2-1000"), "ids.txt:3: '2-1000' is not in the vocabulary of 1000");
  EXPECT_EQ(why_not(std::string(90, 'a')),
            "ids.txt:1: '" + std::string(40, 'a') + "…' is no token id, nor a range such as 5-10");
}

// What each says is counted, not written, so that a long file of long ranges is read in the time of its
// length.
TEST(AllowedIds, OfManyLongRangesAreReadAtOnce) {
  std::string text;
  for (int i = 0; i < 200000; ++i) text += "0-262143\n";
  EXPECT_EQ(allowed_ids_in(text, "ids.txt", 262144).size(), 262144);
}

}  // namespace
}  // namespace lmc
