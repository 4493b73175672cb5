// Expressions over weights: any of them reads as the evaluator computes it, and none of them takes more than
// its share of time, however its ops are nested.
#include "ir/weight_reader.h"

#include <gtest/gtest.h>

#include <atomic>
#include <random>

#include "ir/eval.h"
#include "ir/weight_sources.h"
#include "tests/unit/error_of.h"

namespace lmc {
namespace {

// Numbers that say where they stand, and how many of them were asked for.
class Numbers : public WeightSource {
 public:
  std::optional<Type> type(const std::string& /*name*/) const override { return std::nullopt; }
  void read(const std::string& name, int64_t first, std::span<float> out) const override {
    ++calls;
    numbers += static_cast<int64_t>(out.size());
    const auto base = static_cast<float>(name[0] - 'a') * 0.125F;
    for (size_t i = 0; i < out.size(); ++i)
      out[i] = base + static_cast<float>((first + static_cast<int64_t>(i)) % 1000) / 1024.0F;
  }

  mutable std::atomic<int64_t> calls = 0, numbers = 0;
};

ValueId op(Graph& g, const char* name, std::vector<ValueId> operands, AttrMap attrs = {}) {
  return g.result(g.add_op(name, std::move(operands), std::move(attrs), {}, "", {"model.lmir", 7, 3}));
}

ValueId slice(Graph& g, ValueId v, int64_t axis, int64_t start, int64_t size, int64_t every = 0) {
  return op(g, "slice", {v}, {{"axis", axis}, {"start", start}, {"size", size}, {"every", every}});
}

ValueId concat(Graph& g, std::vector<ValueId> parts, int64_t axis) {
  return op(g, "concat", std::move(parts), {{"axis", axis}});
}

std::vector<float> read(const Graph& g, ValueId v, const WeightSource& source, int64_t rows_at_once) {
  const WeightExpressions x(g, std::span(&v, 1));
  const WeightReader reader(x, source);
  const Matrix m = matrix(g.type(v));
  std::vector<float> out(static_cast<size_t>(m.rows * m.cols));
  for (int64_t r = 0; r < m.rows; r += rows_at_once) {
    const int64_t n = std::min(rows_at_once, m.rows - r);
    reader.read(x.view(v).pick_rows(Positions::range(r, n)),
                std::span(out).subspan(static_cast<size_t>(r * m.cols), static_cast<size_t>(n * m.cols)));
  }
  return out;
}

void expect_as_evaluated(Graph& g, ValueId v) {
  const Numbers source;
  g.set_outputs({v});
  const Tensor want = evaluate(g, {}, source)[0];
  for (const int64_t rows : {int64_t{1}, int64_t{3}, int64_t{1000}}) {
    const std::vector<float> got = read(g, v, source, rows);
    ASSERT_EQ(got.size(), want.data.size());
    for (size_t i = 0; i < got.size(); ++i)
      ASSERT_NEAR(got[i], want.data[i], 1e-5 * (1 + std::abs(want.data[i]))) << "element " << i;
  }
}

// A random expression of matrices, all ops on weights among its ops.
class RandomExpression {
 public:
  explicit RandomExpression(unsigned seed) : random_(seed) {}

  ValueId build(Graph& g) {
    std::vector<ValueId> made = {g.add_weight("a", {DType::f32, {6, 10}}),
                                 g.add_weight("b", {DType::f32, {10, 6}}),
                                 g.add_weight("c", {DType::f32, {6, 10}})};
    const ValueId vector = g.add_weight("v", {DType::f32, {10}});
    for (int i = 0; i < 12; ++i) {
      const ValueId x = made[upto(made.size())];
      const int64_t rows = g.type(x).dims[0];
      const int64_t cols = g.type(x).dims[1];
      const auto axis = static_cast<int64_t>(upto(2));
      const int64_t n = axis == 0 ? rows : cols;
      const ValueId same = like(g, made, x);
      switch (upto(10)) {
        case 0:
          made.push_back(op(g, "transpose", {x}));
          break;
        case 1: {
          const auto start = static_cast<int64_t>(upto(static_cast<size_t>(n)));
          made.push_back(
              slice(g, x, axis, start, 1 + static_cast<int64_t>(upto(static_cast<size_t>(n - start)))));
          break;
        }
        case 2:
          if (n % 2 == 0) made.push_back(slice(g, x, axis, n > 2 ? 1 : 0, 1, 2));
          break;
        case 3:
          if (rows * cols < 2000) made.push_back(concat(g, {x, same, x}, axis));
          break;
        case 4:
          made.push_back(op(g, "scale", {x}, {{"by", 0.5}}));
          break;
        case 5:
          made.push_back(op(g, "add", {x, same}));
          break;
        case 6:
          made.push_back(op(g, "mul", {x, cols == 10 ? vector : same}));
          break;
        case 7:
          made.push_back(op(g, "silu", {x}));
          break;
        case 8:
          made.push_back(op(g, "cast", {op(g, "cast", {x}, {{"dtype", "bf16"}})}, {{"dtype", "f32"}}));
          break;
        default:
          made.push_back(op(g, "matmul", {x, op(g, "transpose", {same})}));
          break;
      }
    }
    return made.back();
  }

 private:
  size_t upto(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random_); }

  ValueId like(const Graph& g, const std::vector<ValueId>& made, ValueId x) {
    std::vector<ValueId> fit;
    for (const ValueId v : made) {
      if (g.type(v) == g.type(x)) fit.push_back(v);
    }
    return fit[upto(fit.size())];
  }

  std::mt19937 random_;
};

TEST(WeightReader, reads_any_expression_as_the_evaluator_computes_it) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    Graph g;
    const ValueId v = RandomExpression(seed).build(g);
    SCOPED_TRACE(seed);
    expect_as_evaluated(g, v);
    if (HasFatalFailure()) return;
  }
}

TEST(WeightReader, reads_vectors_and_stacks) {
  Graph g;
  const ValueId v = g.add_weight("v", {DType::f32, {12}});
  const ValueId w = g.add_weight("w", {DType::f32, {12}});
  expect_as_evaluated(g, concat(g, {slice(g, v, 0, 3, 5), op(g, "mul", {v, w})}, 0));
  const ValueId a = g.add_weight("a", {DType::f32, {2, 3}});
  const ValueId b = g.add_weight("b", {DType::f32, {4, 3}});
  const ValueId both =
      concat(g, {op(g, "stack", {a, a}), op(g, "stack", {b, op(g, "scale", {b}, {{"by", 2.0}})})}, 1);
  EXPECT_EQ(g.type(both).str(), "f32[2,6,3]");
  expect_as_evaluated(g, both);
  expect_as_evaluated(g, op(g, "scale", {both}, {{"by", 3.0}}));
}

// Transposes, slices and joins of one another: each was read by way of all that it was made of.
ValueId nested(Graph& g, int depth) {
  ValueId v = g.add_weight("a", {DType::f32, {512, 512}});
  for (int i = 0; i < depth; ++i) {
    const ValueId turned = op(g, "transpose", {v});
    v = concat(g, {slice(g, turned, 0, 256, 256), slice(g, turned, 0, 0, 256)}, 0);
    const ValueId left = slice(g, v, 1, 0, 100);
    v = concat(g, {slice(g, v, 1, 100, 412), left}, 1);
  }
  return v;
}

TEST(WeightReader, reads_nested_views_in_time_linear_in_their_bytes) {
  for (const int depth : {1, 3, 30}) {
    Graph g;
    const ValueId v = nested(g, depth);
    const Numbers source;
    read(g, v, source, 64);
    EXPECT_LE(source.numbers, 2 * 512 * 512) << depth;
    EXPECT_LE(source.calls, 8 * 4 * 512) << depth;
    EXPECT_FALSE(weight_rows(g, v).empty());
  }
}

TEST(WeightReader, computes_each_tile_of_shared_operands_once) {
  Graph g;
  ValueId v = g.add_weight("a", {DType::f32, {64, 64}});
  for (int i = 0; i < 60; ++i) v = op(g, "scale", {op(g, "add", {v, v})}, {{"by", 0.5}});
  const Numbers source;
  EXPECT_EQ(read(g, v, source, 64), read(g, g.find_weight("a"), source, 64));
  EXPECT_EQ(source.numbers, 3 * 64 * 64) << "once for each operand of the first sum, once to compare";
}

TEST(WeightReader, takes_chains_of_any_length) {
  constexpr int kDeep = 60000;
  Graph views;
  ValueId v = views.add_weight("a", {DType::f32, {4, 6}});
  for (int i = 0; i < kDeep; ++i) v = i % 2 ? op(views, "transpose", {v}) : concat(views, {v}, 0);
  const Numbers source;
  EXPECT_EQ(read(views, v, source, 4), read(views, views.find_weight("a"), source, 4));
  EXPECT_EQ(weight_rows(views, v)[0].tensor, "a");

  Graph sums;
  v = sums.add_weight("a", {DType::f32, {4, 6}});
  for (int i = 0; i < kDeep; ++i) v = op(sums, "scale", {v}, {{"by", 1.0}});
  EXPECT_EQ(read(sums, v, source, 4), read(sums, sums.find_weight("a"), source, 4));
  EXPECT_EQ(weight_rows(sums, v)[0].tensor, "a");
}

std::string read_error(const Graph& g, ValueId v) {
  return error_of([&] { read(g, v, Numbers(), 8); });
}

TEST(WeightReader, refuses_what_is_no_op_on_weights_at_its_place) {
  Graph g;
  const ValueId a = g.add_weight("a", {DType::f32, {4, 6}});
  const std::string error =
      read_error(g, op(g, "rms_norm", {a, g.add_weight("n", {DType::f32, {6}})}, {{"eps", 0.1}}));
  EXPECT_NE(error.find("model.lmir:7"), std::string::npos) << error;
  EXPECT_NE(error.find("rms_norm cannot be computed on weights"), std::string::npos) << error;
}

// Sums of shifted sums of shifted sums: the numbers of the first would be wanted at every distance.
TEST(WeightReader, refuses_rearrangements_without_end) {
  Graph g;
  ValueId v = g.add_weight("a", {DType::f32, {32768, 1}});
  for (int64_t shift = 1; shift < 16384; shift *= 2) {
    const int64_t n = g.type(v).dims[0] - shift;
    v = op(g, "add", {slice(g, v, 0, 0, n), slice(g, v, 0, shift, n)});
  }
  EXPECT_NE(read_error(g, v).find("rearranged too often"), std::string::npos) << read_error(g, v);
}

TEST(WeightReader, results_that_nobody_can_count_are_refused) {
  Graph g;
  const ValueId a = g.add_weight("a", {DType::f32, {int64_t{1} << 29, int64_t{1} << 29}});
  EXPECT_THROW(op(g, "stack", {a, a, a, a, a}), Error);
}

TEST(WeightReader, says_where_an_element_comes_from) {
  Graph g;
  const ValueId a = g.add_weight("a", {DType::f32, {4, 6}});
  const ValueId v = concat(g, {slice(g, a, 0, 2, 2), op(g, "scale", {a}, {{"by", 2.0}})}, 0);
  const WeightExpressions x(g, std::span(&v, 1));
  const Numbers source;
  const WeightReader reader(x, source);
  EXPECT_EQ(reader.place(x.view(v), 1, 2), "tensor 'a', element 20 (row 3, column 2)");
  EXPECT_EQ(reader.place(x.view(v), 2, 1),
            "what scale makes of weights, %scale, element 1 (row 0, column 1)");
}

}  // namespace
}  // namespace lmc
