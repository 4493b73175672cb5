// What the ranks of a model that runs on several machines have of one value, side by side in each row. Where
// one of them has all of it and another gets it, it is sent from the one to the other.
#include <algorithm>
#include <iterator>
#include <numeric>

#include "ir/ops/common.h"

namespace lmc::ops::all_gather {
namespace {

int64_t rank_of(const AttrMap& attrs) { return std::get<int64_t>(attrs.at("rank")); }
const std::vector<int64_t>& sizes_of(const AttrMap& attrs) {
  return std::get<std::vector<int64_t>>(attrs.at("sizes"));
}

bool has_part(const std::vector<int64_t>& sizes, int64_t rank) {
  return sizes[static_cast<size_t>(rank)] > 0;
}

void check_sizes(const InferArgs& a) {
  const int64_t rank = a.integer("rank");
  const std::vector<int64_t>& sizes = a.integers("sizes");
  const auto ranks = static_cast<int64_t>(sizes.size());
  constexpr int64_t kMost = int64_t{1} << 48;
  int64_t left = kMost, parts = 0;
  for (const int64_t n : sizes) {
    require(n >= 0 && n <= left, "sizes must not be negative, and 2^48 together at most");
    left -= n;
    parts += n > 0 ? 1 : 0;
  }
  require(parts > 0, "no rank has a part");
  int64_t before = -1;
  for (const int64_t to : a.integers("to")) {
    require(to > before && to < ranks, "to must name ranks in their order, each once");
    before = to;
  }
  if (rank < 0) {
    require(rank == -1, "rank must be -1, all ranks together, or the number of one");
    require(parts == static_cast<int64_t>(a.size()), [&] {
      return std::to_string(a.size()) + " operands, but sizes of " + std::to_string(parts) + " parts";
    });
  } else {
    require(a.size() == 1, "one rank has one part");
    require(rank < ranks,
            [&] { return "rank " + std::to_string(rank) + " is none of " + std::to_string(ranks); });
  }
}

// Of rank `rank`, which has none: as many rows as its operand, whatever that is.
Type rows_of(const Type& operand, int64_t columns) {
  require(operand.rank() >= 1, [&] { return "the rows of " + operand.str() + " cannot be counted"; });
  return {DType::f32, {operand.dims[0], columns}};
}

const RegisterOp kOp(OpDef{
    .name = "all_gather",
    .doc =
        "the ranks' parts of each row, one behind the other, for every rank, or for those that are named. In "
        "the graph of one rank the others' parts come over the network; evaluated alone, they are zeros",
    .category = OpCategory::row,
    .operands =
        {{"parts",
          "[.., n] f32, of each rank that has one; in the graph of one rank its own, or any value with "
          "as many rows if it has none",
          false, true}},
    .attrs = {{"sizes", AttrKind::integers, std::nullopt,
               "the last dimension of each rank's part; 0: it has none"},
              {"to", AttrKind::integers, std::vector<int64_t>{}, "the ranks that get it; none named: all do"},
              {"rank", AttrKind::integer, int64_t{-1}, "whose graph it is; -1: all ranks' together"}},
    .infer =
        [](const InferArgs& a) {
          check_sizes(a);
          const std::vector<int64_t>& sizes = a.integers("sizes");
          const int64_t rank = a.integer("rank");
          const int64_t columns = std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
          if (rank >= 0 && !has_part(sizes, rank)) return std::vector<Type>{rows_of(a[0], columns)};
          std::vector<int64_t> parts;
          std::copy_if(sizes.begin(), sizes.end(), std::back_inserter(parts),
                       [](int64_t n) { return n > 0; });
          for (size_t i = 0; i < a.size(); ++i) {
            ops::require_activation(a[i], "a part");
            const int64_t n = rank < 0 ? parts[i] : sizes[static_cast<size_t>(rank)];
            Type rest = a[i];
            rest.dims.back() = a[0].last();
            require(rest == a[0] && a[i].last() == n,
                    [&] { return "the part " + a[i].str() + " does not have rows of " + std::to_string(n); });
          }
          Type y = a[0];
          y.dims.back() = columns;
          return std::vector<Type>{y};
        },
    .eval =
        [](const EvalArgs& a) {
          const std::vector<int64_t>& sizes = sizes_of(a.attrs);
          const int64_t rank = rank_of(a.attrs);
          const int64_t columns = std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
          std::vector<int64_t> dims = a[0].dims;
          if (rank >= 0 && !has_part(sizes, rank))
            return std::vector<Tensor>{make_tensor(DType::f32, {dims[0], columns})};
          dims.back() = columns;
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
