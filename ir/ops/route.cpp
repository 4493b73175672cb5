// Which experts work on a token, and how much each counts (Shazeer et al. 2017; Mixtral, Jiang et al. 2024).
#include <cmath>

#include "ir/ops/common.h"

namespace lmc::ops::route {
namespace {

// The k largest, largest first; of equal ones the first.
std::vector<int64_t> largest(const double* scores, int64_t n, int64_t k) {
  std::vector<int64_t> out;
  std::vector<bool> taken(static_cast<size_t>(n), false);
  while (static_cast<int64_t>(out.size()) < k) {
    int64_t best = -1;
    for (int64_t i = 0; i < n; ++i) {
      if (!taken[static_cast<size_t>(i)] && (best < 0 || scores[i] > scores[best])) best = i;
    }
    taken[static_cast<size_t>(best)] = true;
    out.push_back(best);
  }
  return out;
}

const RegisterOp kOp(OpDef{
    .name = "route",
    .doc = "the k experts of a token, those of the largest scores, largest first (of equal scores the lower "
           "index), and the softmax of their scores",
    .category = OpCategory::row,
    .operands = {{"scores", "[T, experts] f32"}},
    .attrs = {{"k", AttrKind::integer, std::nullopt, "experts per token"},
              {"normalise", AttrKind::integer, int64_t{1},
               "1: the weights of the chosen add up to 1; 0: those of all experts do"}},
    .infer =
        [](const InferArgs& a) {
          require(a[0].dtype == DType::f32 && a[0].rank() == 2,
                  [&] { return "scores must be f32 [T, experts], found " + a[0].str(); });
          const int64_t k = a.integer("k");
          require(k > 0 && k <= a[0].last(), [&] {
            return "k must be 1 to " + dim_name(a[0].last()) + ", the number of experts, found " +
                   std::to_string(k);
          });
          const int64_t normalise = a.integer("normalise");
          require(normalise == 0 || normalise == 1, "normalise must be 0 or 1");
          const std::vector<int64_t> dims{a[0].dims[0], k};
          return std::vector<Type>{Type{DType::f32, dims}, Type{DType::i32, dims}};
        },
    .eval =
        [](const EvalArgs& a) {
          const int64_t k = a.integer("k");
          const int64_t experts = a[0].last();
          Tensor weights = make_tensor(DType::f32, {a[0].rows(), k});
          Tensor ids = make_tensor(DType::i32, {a[0].rows(), k});
          for (int64_t t = 0; t < a[0].rows(); ++t) {
            const double* scores = a[0].row(t);
            const std::vector<int64_t> chosen = largest(scores, experts, k);
            const auto share = [&](int64_t i) { return std::exp(scores[i] - scores[chosen[0]]); };
            double sum = 0;
            if (a.integer("normalise") == 1) {
              for (int64_t i : chosen) sum += share(i);
            } else {
              for (int64_t i = 0; i < experts; ++i) sum += share(i);
            }
            for (int64_t j = 0; j < k; ++j) {
              const int64_t i = chosen[static_cast<size_t>(j)];
              weights.row(t)[j] = share(i) / sum;
              ids.row(t)[j] = static_cast<double>(i);
            }
          }
          return std::vector<Tensor>{std::move(weights), std::move(ids)};
        },
    .flops =
        [](const InferArgs& a) {
          return static_cast<double>(a[0].last() * a.integer("k") + 10 * a.integer("k"));
        },
});

}  // namespace
}  // namespace lmc::ops::route
