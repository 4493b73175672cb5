// A part of a weight, or some heads of a cache.
#include <algorithm>
#include <cmath>

#include "ir/ops/common.h"
#include "ir/weight_view.h"

namespace lmc::ops::slice {
namespace {

// Where positions of the slice, n along the axis, are in the operand.
Positions places(const AttrMap& attrs, int64_t n) {
  const auto whole = [&](const char* name) { return std::get<int64_t>(attrs.at(name)); };
  if (whole("every") == 0) return Positions::range(whole("start"), n);
  Positions out;
  for (int64_t block = 0; block * whole("size") < n; ++block)
    out.add(block * whole("every") + whole("start"), whole("size"));
  return out;
}

// The same of each matrix of a stack, whose rows are `from` before and `to` behind.
Positions in_each(const AttrMap& attrs, int64_t matrices, int64_t from, int64_t to) {
  Positions out;
  const Positions one = places(attrs, to);
  for (int64_t i = 0; i < matrices; ++i) {
    for (const Positions::Run& run : one.runs()) out.add(i * from + run.from, run.count);
  }
  return out;
}

// Rows of x as a matrix that the result, of this type, has.
Positions rows_of(const AttrMap& attrs, const Type& x, const Type& y) {
  if (y.rank() < 3) return places(attrs, matrix(y).rows);
  if (std::get<int64_t>(attrs.at("axis")) == 0)
    return Positions::range(std::get<int64_t>(attrs.at("start")) * x.dims[1], matrix(y).rows);
  return in_each(attrs, x.dims[0], x.dims[1], y.dims[1]);
}

// Of the keys and of the values at each position.
Tensor heads(const Tensor& kv, int64_t start, int64_t size) {
  Tensor y = make_tensor(kv.dtype, {kv.dims[0], size, kv.dims[2]});
  y.first = kv.first;
  auto to = y.data.begin();
  for (int64_t r = 0; r < kv.dims[0]; ++r)
    to = std::copy_n(kv.row(r * kv.dims[1] + start), size * kv.dims[2], to);
  return y;
}

const RegisterOp kOp(OpDef{
    .name = "slice",
    .doc =
        "rows (axis 0) or columns (axis 1) start … start + size - 1, of each block of `every` if that is "
        "given; of a stack whole matrices (axis 0), or those of each (axis 1 or 2); of a cache heads (axis "
        "1)",
    .category = OpCategory::weight,
    .operands = {{"x", "a weight, or a cache"}},
    .attrs = {{"axis", AttrKind::integer, int64_t{0}, "0 or 1; 0, 1 or 2 of stacks"},
              {"start", AttrKind::integer, std::nullopt, "the first"},
              {"size", AttrKind::integer, std::nullopt, "how many"},
              {"every", AttrKind::integer, int64_t{0}, "take them from every block of so many; 0 = once"}},
    .infer =
        [](const InferArgs& a) {
          Type y = a[0];
          const int64_t axis = a.integer("axis");
          require(y.is_static() && (y.rank() <= 3 || is_kv(y.dtype)),
                  [&] { return "only weights can be sliced, found " + y.str(); });
          require(!is_kv(y.dtype) || (y.rank() >= 3 && axis == 1 && a.integer("every") == 0),
                  "of a cache only heads can be taken, along axis 1");
          require(axis >= 0 && axis < y.rank(),
                  [&] { return "axis " + std::to_string(axis) + " does not exist in " + y.str(); });
          require(y.rank() < 3 || axis > 0 || a.integer("every") == 0,
                  "of a stack neighbouring matrices can be taken, not some of every so many");
          require(!is_quantised(y.dtype) || axis < std::max<int64_t>(y.rank() - 1, 1),
                  "quantised weights can be cut by rows only");
          int64_t& n = y.dims[static_cast<size_t>(axis)];
          const int64_t start = a.integer("start");
          const int64_t size = a.integer("size");
          const int64_t every = a.integer("every");
          require(every >= 0 && (every == 0 || n % every == 0), [&] {
            return "axis " + std::to_string(axis) + " of " + a[0].str() + " is not made of blocks of " +
                   std::to_string(every);
          });
          const int64_t within = every > 0 ? every : n;
          require(start >= 0 && size > 0 && start <= within && size <= within - start, [&] {
            return "[" + std::to_string(start) + ", +" + std::to_string(size) + ") lies outside " +
                   (every > 0 ? "a block of " + std::to_string(every)
                              : "axis " + std::to_string(axis) + " of " + a[0].str());
          });
          n = every > 0 ? n / every * size : size;
          return std::vector<Type>{y};
        },
    .eval =
        [](const EvalArgs& a) {
          if (is_kv(a[0].dtype))
            return std::vector<Tensor>{heads(a[0], a.integer("start"), a.integer("size"))};
          Tensor y = make_tensor(a[0].dtype, a.result_types[0].dims);
          const bool columns = a.integer("axis") + 1 == static_cast<int64_t>(a[0].dims.size());
          const Positions from = columns ? places(a.attrs, y.last())
                                         : rows_of(a.attrs, {a[0].dtype, a[0].dims}, a.result_types[0]);
          for (int64_t r = 0; r < y.rows(); ++r) {
            const double* row = a[0].row(columns ? r : from[r]);
            for (int64_t c = 0; c < y.last(); ++c) y.row(r)[c] = row[columns ? from[c] : c];
          }
          return std::vector<Tensor>{std::move(y)};
        },
    .view =
        [](const ViewArgs& a) {
          const bool columns = a.integer("axis") + 1 == a.type.rank();
          return columns ? a.in[0]->pick_columns(places(a.attrs, matrix(a.type).cols))
                         : a.in[0]->pick_rows(rows_of(a.attrs, a.types[0], a.type));
        },
});

}  // namespace
}  // namespace lmc::ops::slice
