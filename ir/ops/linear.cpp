// A projection: every output is the dot product of an input row and a weight row.
#include <algorithm>
#include <cmath>

#include "ir/ops/common.h"

namespace lmc::ops::linear {
namespace {

const RegisterOp kOp(OpDef{
    .name = "linear",
    .doc = "y[.., n] = sum over k of x[.., k] * w[n, k], plus b[n] if given",
    .category = OpCategory::contraction,
    .operands = {{"x", "[.., K] f32, or q8_0 if w is quantised"}, {"w", "[N, K]"}, {"b", "[N]", true}},
    .attrs = {{"role", AttrKind::text, std::string(),
               "what the projection is for: attn_q, ffn_down, lm_head, …"}},
    .infer =
        [](const InferArgs& a) {
          const Type& x = a[0];
          const Type& w = a[1];
          require(w.rank() == 2 && w.is_static(),
                  [&] { return "the weight must be [rows, columns], found " + w.str(); });
          require(x.rank() >= 1 && x.last() == w.dims[1], [&] {
            return "expected last dimension " + dim_name(w.dims[1]) + " (columns of the weight), found " +
                   x.str();
          });
          ops::require_product(x, w);
          if (a.size() > 2) ops::require_vector(a[2], w.dims[0], "the bias");
          Type y = with_dtype(x, DType::f32);
          y.dims.back() = w.dims[0];
          return std::vector<Type>{y};
        },
    .eval =
        [](const EvalArgs& a) {
          const Tensor& x = a[0];
          const Tensor& w = a[1];
          std::vector<int64_t> dims = x.dims;
          dims.back() = w.dims[0];
          Tensor y = make_tensor(DType::f32, dims);
          const int64_t columns = w.dims[1];
          for (int64_t r = 0; r < y.rows(); ++r) {
            for (int64_t n = 0; n < w.dims[0]; ++n) {
              const double* xr = x.row(r);
              const double* wr = w.row(n);
              double sum = a.size() > 2 ? a[2].data[static_cast<size_t>(n)] : 0;
              for (int64_t k = 0; k < columns; ++k) sum += xr[k] * wr[k];
              y.row(r)[n] = sum;
            }
          }
          return std::vector<Tensor>{std::move(y)};
        },
    .flops = [](const InferArgs& a) { return 2.0 * static_cast<double>(a[1].elements()); },
});

}  // namespace
}  // namespace lmc::ops::linear
