// What the ranks of a model that runs on several machines have of one value, side by side in each row.
#include <algorithm>
#include <numeric>

#include "ir/ops/common.h"

namespace lmc::ops::all_gather {
namespace {

int64_t rank_of(const AttrMap& attrs) { return std::get<int64_t>(attrs.at("rank")); }
const std::vector<int64_t>& sizes_of(const AttrMap& attrs) {
  return std::get<std::vector<int64_t>>(attrs.at("sizes"));
}

void check_sizes(const InferArgs& a) {
  const int64_t rank = a.integer("rank");
  const std::vector<int64_t>& sizes = a.integers("sizes");
  constexpr int64_t kMost = int64_t{1} << 48;
  int64_t left = kMost;
  for (const int64_t n : sizes) {
    require(n > 0 && n <= left, "sizes must be positive, and 2^48 together at most");
    left -= n;
  }
  if (rank < 0) {
    require(rank == -1, "rank must be -1, all ranks together, or the number of one");
    require(sizes.size() == a.size(), [&] {
      return std::to_string(a.size()) + " operands, but sizes of " + std::to_string(sizes.size()) + " ranks";
    });
  } else {
    require(a.size() == 1, "one rank has one part");
    require(rank < static_cast<int64_t>(sizes.size()),
            [&] { return "rank " + std::to_string(rank) + " is none of " + std::to_string(sizes.size()); });
  }
}

const RegisterOp kOp(OpDef{
    .name = "all_gather",
    .doc =
        "every rank's part of each row, one behind the other, for every rank. In the graph of one rank the "
        "others' parts come over the network; evaluated alone, they are zeros",
    .category = OpCategory::row,
    .operands = {{"parts", "[.., n] f32, one of each rank; in the graph of one rank its own", false, true}},
    .attrs = {{"sizes", AttrKind::integers, std::nullopt, "the last dimension of each rank's part"},
              {"rank", AttrKind::integer, int64_t{-1}, "whose graph it is; -1: all ranks' together"}},
    .infer =
        [](const InferArgs& a) {
          check_sizes(a);
          const std::vector<int64_t>& sizes = a.integers("sizes");
          const int64_t rank = a.integer("rank");
          for (size_t i = 0; i < a.size(); ++i) {
            ops::require_activation(a[i], "a part");
            const int64_t n = sizes[rank < 0 ? i : static_cast<size_t>(rank)];
            Type rest = a[i];
            rest.dims.back() = a[0].last();
            require(rest == a[0] && a[i].last() == n,
                    [&] { return "the part " + a[i].str() + " does not have rows of " + std::to_string(n); });
          }
          Type y = a[0];
          y.dims.back() = std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
          return std::vector<Type>{y};
        },
    .eval =
        [](const EvalArgs& a) {
          const std::vector<int64_t>& sizes = sizes_of(a.attrs);
          const int64_t rank = rank_of(a.attrs);
          std::vector<int64_t> dims = a[0].dims;
          dims.back() = std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
          Tensor y = make_tensor(DType::f32, dims);
          int64_t at = rank < 0 ? 0 : std::accumulate(sizes.begin(), sizes.begin() + rank, int64_t{0});
          for (const Tensor* part : a.in) {
            for (int64_t r = 0; r < y.rows(); ++r) std::copy_n(part->row(r), part->last(), y.row(r) + at);
            at += part->last();
          }
          return std::vector<Tensor>{std::move(y)};
        },
    .flops = [](const InferArgs&) { return 0.0; },
});

}  // namespace
}  // namespace lmc::ops::all_gather
