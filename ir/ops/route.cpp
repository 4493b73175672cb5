// Which experts work on a token, and how much each counts (Shazeer et al. 2017; Mixtral, Jiang et al. 2024;
// groups and the bias that only chooses: DeepSeek-V3, 2024, section 2.1.2).
#include <algorithm>
#include <cmath>
#include <limits>

#include "ir/ops/common.h"

namespace lmc::ops::route {
namespace {

constexpr int64_t kMostGrouped = 4096;  // experts whose scores kernels keep on their stack

// The k largest, largest first; of equal ones the first.
std::vector<int64_t> largest(const std::vector<double>& scores, int64_t k) {
  const auto n = static_cast<int64_t>(scores.size());
  std::vector<int64_t> out;
  std::vector<bool> taken(scores.size(), false);
  while (static_cast<int64_t>(out.size()) < k) {
    int64_t best = -1;
    for (int64_t i = 0; i < n; ++i) {
      if (taken[static_cast<size_t>(i)]) continue;
      if (best < 0 || scores[static_cast<size_t>(i)] > scores[static_cast<size_t>(best)]) best = i;
    }
    taken[static_cast<size_t>(best)] = true;
    out.push_back(best);
  }
  return out;
}

// What chooses, with all but the best groups taken out: those whose two best add up to most.
std::vector<double> of_best_groups(std::vector<double> choice, int64_t groups, int64_t kept) {
  const size_t size = choice.size() / static_cast<size_t>(groups);
  std::vector<double> sums;
  for (size_t first = 0; first < choice.size(); first += size) {
    const auto begin = choice.begin() + static_cast<int64_t>(first);
    const std::vector<double> group(begin, begin + static_cast<int64_t>(size));
    const std::vector<int64_t> best = largest(group, 2);
    sums.push_back(group[static_cast<size_t>(best[0])] + group[static_cast<size_t>(best[1])]);
  }
  const std::vector<int64_t> best = largest(sums, kept);
  for (size_t i = 0; i < choice.size(); ++i) {
    if (std::find(best.begin(), best.end(), static_cast<int64_t>(i / size)) == best.end())
      choice[i] = -std::numeric_limits<double>::infinity();
  }
  return choice;
}

// Of the chosen, in their order.
std::vector<double> softmax_shares(const std::vector<double>& scores, const std::vector<int64_t>& chosen,
                                   bool normalise) {
  const auto share = [&](size_t i) { return std::exp(scores[i] - scores[static_cast<size_t>(chosen[0])]); };
  double sum = 0;
  std::vector<double> out;
  for (const int64_t i : chosen) out.push_back(share(static_cast<size_t>(i)));
  if (normalise) {
    for (const double s : out) sum += s;
  } else {
    for (size_t i = 0; i < scores.size(); ++i) sum += share(i);
  }
  for (double& s : out) s /= sum;
  return out;
}

// One token's experts and their weights.
void route(const EvalArgs& a, const std::vector<double>& scores, double* weights, double* ids) {
  const int64_t k = a.integer("k");
  const bool normalise = a.integer("normalise") == 1;
  std::vector<int64_t> chosen;
  std::vector<double> shares;
  if (a.text("score") == "softmax") {
    chosen = largest(scores, k);
    shares = softmax_shares(scores, chosen, normalise);
  } else {
    std::vector<double> sigmoid, choice;
    for (size_t i = 0; i < scores.size(); ++i) {
      sigmoid.push_back(1 / (1 + std::exp(-scores[i])));
      choice.push_back(sigmoid.back() + (a.size() > 1 ? a[1].data[i] : 0));
    }
    if (a.integer("groups") > 1) choice = of_best_groups(choice, a.integer("groups"), a.integer("kept"));
    chosen = largest(choice, k);
    double sum = 0;
    for (const int64_t i : chosen) sum += sigmoid[static_cast<size_t>(i)];
    for (const int64_t i : chosen) shares.push_back(sigmoid[static_cast<size_t>(i)] / (normalise ? sum : 1));
  }
  for (size_t j = 0; j < chosen.size(); ++j) {
    weights[j] = shares[j] * a.real("factor");
    ids[j] = static_cast<double>(chosen[j]);
  }
}

void check_groups(const InferArgs& a) {
  const int64_t experts = a[0].last();
  const int64_t groups = a.integer("groups");
  const int64_t kept = a.integer("kept");
  require(groups > 0 && experts % groups == 0 && (groups == 1 || experts / groups >= 2), [&] {
    return std::to_string(experts) + " experts are not " + std::to_string(groups) + " groups of 2 or more";
  });
  require(kept > 0 && kept <= groups && a.integer("k") <= kept * (experts / groups), [&] {
    return "of " + std::to_string(groups) + " groups " + std::to_string(kept) + " cannot be kept for " +
           std::to_string(a.integer("k")) + " experts of a token";
  });
}

const RegisterOp kOp(OpDef{
    .name = "route",
    .doc = "the k experts of a token, those of the largest scores, largest first (of equal scores the lower "
           "index), and how much each counts: the softmax or the sigmoid of its score",
    .category = OpCategory::row,
    .operands = {{"scores", "[T, experts] f32"},
                 {"bias", "[experts]: added to the sigmoids to choose, not to weigh", true}},
    .attrs =
        {{"k", AttrKind::integer, std::nullopt, "experts per token"},
         {"normalise", AttrKind::integer, int64_t{1},
          "1: the weights of the chosen add up to 1; 0: those of all experts do, or the sigmoids as they "
          "are"},
         {"score", AttrKind::text, std::string("softmax"), "softmax or sigmoid"},
         {"groups", AttrKind::integer, int64_t{1},
          "of sigmoids: experts come in so many groups, of which those are kept whose two largest add up "
          "to most"},
         {"kept", AttrKind::integer, int64_t{1}, "how many groups"},
         {"factor", AttrKind::real, 1.0, "on the weights, at last"}},
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
          const bool sigmoid = a.text("score") == "sigmoid";
          require(sigmoid || a.text("score") == "softmax",
                  [&] { return "score must be softmax or sigmoid, found " + a.text("score"); });
          require(sigmoid || (a.size() == 1 && a.integer("groups") == 1),
                  "a bias and groups go with score=sigmoid");
          require(!sigmoid || a[0].last() <= kMostGrouped,
                  [&] { return "sigmoids of more than " + std::to_string(kMostGrouped) + " experts"; });
          if (a.size() > 1) ops::require_vector(a[1], a[0].last(), "bias");
          check_groups(a);
          const std::vector<int64_t> dims{a[0].dims[0], k};
          return std::vector<Type>{Type{DType::f32, dims}, Type{DType::i32, dims}};
        },
    .eval =
        [](const EvalArgs& a) {
          const int64_t k = a.integer("k");
          Tensor weights = make_tensor(DType::f32, {a[0].rows(), k});
          Tensor ids = make_tensor(DType::i32, {a[0].rows(), k});
          for (int64_t t = 0; t < a[0].rows(); ++t) {
            const std::vector<double> scores(a[0].row(t), a[0].row(t) + a[0].last());
            route(a, scores, weights.row(t), ids.row(t));
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
