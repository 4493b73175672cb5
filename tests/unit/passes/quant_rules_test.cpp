#include "passes/quant_rules.h"

#include <gtest/gtest.h>

namespace lmc {
namespace {

QuantSource projection(const std::string& tensor) {
  QuantSource out{"ffn_up", {}, 64, 64};
  out.tensors.push_back({tensor, 0, 64, 64});
  return out;
}

TEST(QuantRules, say_whether_a_weight_is_kept_as_stored_or_in_the_nearest_format) {
  QuantRules rules("q8_0", {"a=q5_0,b=q8_0:Q5_1", true}, 0);
  EXPECT_EQ(rules.choose(projection("a")).format, dtype_from_name("q5_0"));
  EXPECT_EQ(rules.choose(projection("a")).rule, "as stored");
  EXPECT_EQ(rules.choose(projection("b")).format, DType::q8_0);
  EXPECT_EQ(rules.choose(projection("b")).rule, "stored as Q5_1, of which this is the nearest");
}

TEST(QuantRules, take_the_most_precise_format_of_what_is_fused) {
  const auto choice = [](const char* format) { return QuantChoice{dtype_from_name(format), "", true}; };
  EXPECT_EQ(QuantRules::together({choice("q4_k"), choice("q5_0")}), dtype_from_name("q5_0"));
  EXPECT_EQ(QuantRules::together({choice("q5_k"), choice("q5_0"), choice("q6_k")}), dtype_from_name("q6_k"));
  EXPECT_EQ(QuantRules::together({choice("q8_0"), choice("q6_k")}), DType::q8_0);
}

}  // namespace
}  // namespace lmc
