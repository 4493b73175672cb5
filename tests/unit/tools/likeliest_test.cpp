// Rows whose logits are no distribution, in a step that wants no more than the likeliest token of each.
#include <gtest/gtest.h>

#include "ir/text.h"
#include "passes/engine/lowering.h"
#include "runtime/sampler.h"
#include "tools/machine/memory_program.h"

namespace lmc {
namespace {

constexpr int32_t kInfinite = 3, kNotANumber = 5;

// Of tokens those two have numbers that overflow, all alike or of either sign.
class Overflowing : public WeightSource {
 public:
  explicit Overflowing(Graph g) : g_(std::move(g)) {}
  std::optional<Type> type(const std::string& name) const override { return g_.type(g_.find_weight(name)); }
  void read(const std::string& name, int64_t first, std::span<float> out) const override {
    const int64_t width = g_.type(g_.find_weight(name)).last();
    for (size_t i = 0; i < out.size(); ++i) {
      const int64_t at = first + static_cast<int64_t>(i), row = at / width;
      out[i] = name == "head" ? 4.0F + static_cast<float>(at * 37 % 101) : static_cast<float>(at * 53 % 97);
      if (name != "head" && row == kInfinite) out[i] = 3e38F;
      if (name != "head" && row == kNotANumber) out[i] = at % 2 == 0 ? 3e38F : -3e38F;
    }
  }

 private:
  Graph g_;
};

TEST(Likeliest, ARowWithoutADistributionIsRefusedAlone) {
  Graph g = parse_graph(
      "graph @g (%tokens: i32[T], %pos: i32[T], %out_rows: i32[R]) {\n  weight @embed : f32[11,24]\n"
      "  weight @head : f32[70,24]\n  %x = embedding(%tokens, @embed)\n  %r = select_rows(%x, %out_rows)\n"
      "  %logits = linear(%r, @head)\n  return %logits\n}\n");
  const Overflowing weights(g.clone());
  CodegenOptions options;
  options.context = 64;
  MemoryProgram program(emit(lower(std::move(g), {48, "native"}), options), weights, {.threads = 2});
  ASSERT_GE(program.code().plan.prefill.argmax_stage, 0);
  Session& s = program.session();
  // As few rows, and as many, as have walks of their own.
  for (const size_t count : {1, 4, 13}) {
    std::vector<StepRow> rows;
    for (size_t i = 0; i < count; ++i) rows.push_back({&s.sequence(), static_cast<int32_t>((i + 3) % 11)});
    s.reset();
    const auto logits = s.step_rows(rows);
    ASSERT_TRUE(logits.has_value());
    const std::vector<float> all(logits->begin(), logits->end());
    s.reset();
    const auto found = s.likeliest(rows);
    ASSERT_TRUE(found.has_value());
    ASSERT_EQ(found->size(), count);
    for (size_t i = 0; i < count; ++i) {
      if (rows[i].token == kInfinite || rows[i].token == kNotANumber) {
        EXPECT_THROW((*found)[i].token(), Error) << i;
      } else {
        EXPECT_EQ((*found)[i].token(), greedy(std::span(all).subspan(i * 70, 70))) << i;
      }
    }
  }
}

}  // namespace
}  // namespace lmc
