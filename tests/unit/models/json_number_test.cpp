// Whole numbers of JSON, and what is none.
#include "models/text/json_number.h"

#include <gtest/gtest.h>

namespace lmc {
namespace {

using nlohmann::json;

std::string refusal(const std::string& text) {
  try {
    whole_number<int32_t>(json::parse(text));
  } catch (const json::exception& e) {
    return e.what();
  }
  return "accepted";
}

TEST(JsonNumber, WholeNumbersThatFitAreTaken) {
  EXPECT_EQ(whole_number<int32_t>(json::parse("-2147483648")), INT32_MIN);
  EXPECT_EQ(whole_number<uint64_t>(json::parse("18446744073709551615")), UINT64_MAX);
  EXPECT_EQ(whole_numbers<int64_t>(json::parse("[1, -2]")), (std::vector<int64_t>{1, -2}));
}

TEST(JsonNumber, OthersAreRefusedWithWhatTheyAre) {
  EXPECT_NE(refusal("4000000000.0").find("must be a whole number, but is 4000000000.0"), std::string::npos);
  EXPECT_NE(refusal("4000000000").find("must be a whole number in range, but is 4000000000"),
            std::string::npos);
  EXPECT_NE(refusal("1.5").find("but is 1.5"), std::string::npos);
  EXPECT_NE(refusal("true").find("but is boolean"), std::string::npos);
  EXPECT_THROW(whole_numbers<int32_t>(json::parse("3")), json::exception);
  EXPECT_THROW(whole_number<uint32_t>(json::parse("-1")), json::exception);
}

}  // namespace
}  // namespace lmc
