// What the experts of a token made, as one row again.
#include <algorithm>

#include "ir/ops/common.h"

namespace lmc::ops::weighted_sum {
namespace {

const std::vector<int64_t>& borders_of(const AttrMap& attrs) {
  return std::get<std::vector<int64_t>>(attrs.at("borders"));
}

void check_borders(const InferArgs& a) {
  const std::vector<int64_t>& borders = borders_of(a.attrs);
  const int64_t of = a.integer("of");
  require(a.size() > 2 ? borders.size() > 1 && of > 0 : borders.empty() && of == 0,
          "ids go with of and with borders, two or more");
  if (a.size() < 3) return;
  const Type ids{DType::i32, {a[0].dims[0], a[0].dims[1]}};
  require(a[2] == ids, [&] { return "ids must be " + ids.str() + " like x, found " + a[2].str(); });
  require(borders.front() >= 0 && borders.back() <= of &&
              std::adjacent_find(borders.begin(), borders.end(), std::greater_equal<>()) == borders.end(),
          [&] { return "borders must ascend, from 0 to " + std::to_string(of) + " at most"; });
}

// By halves, as `reduce`.
double sum(const std::vector<double>& parts, size_t first, size_t count) {
  if (count == 1) return parts[first];
  const size_t half = count / 2;
  return sum(parts, first, half) + sum(parts, first + half, count - half);
}

// Of one token's rows, those of the experts between each two borders.
void sum_by_borders(const EvalArgs& a, int64_t token, double* y) {
  const Tensor& x = a[0];
  const std::vector<int64_t>& borders = borders_of(a.attrs);
  std::vector<double> parts(borders.size() - 1);
  for (int64_t n = 0; n < x.last(); ++n) {
    std::fill(parts.begin(), parts.end(), 0.0);
    for (int64_t r = token * x.dims[1]; r < (token + 1) * x.dims[1]; ++r) {
      const auto id = static_cast<int64_t>(a[2].data[static_cast<size_t>(r)]);
      const auto behind = std::upper_bound(borders.begin(), borders.end(), id);
      if (behind == borders.begin() || behind == borders.end()) continue;  // an expert of another rank
      parts[static_cast<size_t>(behind - borders.begin() - 1)] +=
          a[1].data[static_cast<size_t>(r)] * x.row(r)[n];
    }
    y[n] = sum(parts, 0, parts.size());
  }
}

const RegisterOp kOp(OpDef{
    .name = "weighted_sum",
    .doc =
        "y[t, n] = sum over j of weights[t, j] * x[t, j, n], j in order. With borders b: the sums over those "
        "j whose experts are in [b[0], b[1]), in [b[1], b[2]), …, added by halves like the parts of a "
        "`reduce`: so the experts may be dealt out along borders, with the same bits; others are left out",
    .category = OpCategory::row,
    .operands = {{"x", "[T, J, N] f32"},
                 {"weights", "[T, J] f32"},
                 {"ids", "[T, J] i32: the experts of each token; with borders only", true}},
    .attrs = {{"borders", AttrKind::integers, std::vector<int64_t>{}, "experts, ascending"},
              {"of", AttrKind::integer, int64_t{0}, "experts in all, where there are ids"}},
    .infer =
        [](const InferArgs& a) {
          ops::require_activation(a[0], "x");
          require(a[0].rank() == 3, [&] { return "x must be [T, J, N], found " + a[0].str(); });
          const Type weights{DType::f32, {a[0].dims[0], a[0].dims[1]}};
          require(a[1] == weights,
                  [&] { return "weights must be " + weights.str() + " like x, found " + a[1].str(); });
          check_borders(a);
          return std::vector<Type>{Type{DType::f32, {a[0].dims[0], a[0].dims[2]}}};
        },
    .eval =
        [](const EvalArgs& a) {
          const Tensor& x = a[0];
          Tensor y = make_tensor(DType::f32, {x.dims[0], x.dims[2]});
          if (a.size() > 2) {
            for (int64_t t = 0; t < x.dims[0]; ++t) sum_by_borders(a, t, y.row(t));
            return std::vector<Tensor>{std::move(y)};
          }
          for (int64_t r = 0; r < x.rows(); ++r) {
            double* sums = y.row(r / x.dims[1]);
            for (int64_t n = 0; n < x.last(); ++n) sums[n] += a[1].data[static_cast<size_t>(r)] * x.row(r)[n];
          }
          return std::vector<Tensor>{std::move(y)};
        },
    .flops = [](const InferArgs& a) { return 2.0 * static_cast<double>(a[0].elements()); },
});

}  // namespace
}  // namespace lmc::ops::weighted_sum
