// Weights in another float format: arithmetic on weights, like that on activations, is f32.
#include "ir/block_format.h"
#include "ir/ops/common.h"
#include "ir/weight_view.h"

namespace lmc::ops::cast {
namespace {

DType dtype_of(const std::string& name) {
  const auto dtype = dtype_from_name(name);
  require(dtype && is_float(*dtype), [&] { return "dtype must be f32, f16 or bf16, found '" + name + "'"; });
  return *dtype;
}

const RegisterOp kOp(OpDef{
    .name = "cast",
    .doc = "a weight in another float format, rounded to it if it has fewer bits",
    .category = OpCategory::weight,
    .operands = {{"x", "a weight in f32, f16 or bf16"}},
    .attrs = {{"dtype", AttrKind::text, std::string("f32"), "f32, f16 or bf16"}},
    .infer =
        [](const InferArgs& a) {
          require(a[0].is_static() && is_float(a[0].dtype),
                  [&] { return "x must be a float weight, found " + a[0].str(); });
          return std::vector<Type>{with_dtype(a[0], dtype_of(a.text("dtype")))};
        },
    .eval =
        [](const EvalArgs& a) {
          Tensor y = a[0];
          y.dtype = dtype_of(a.text("dtype"));
          std::vector<float> x(y.data.begin(), y.data.end());
          const auto n = static_cast<int64_t>(x.size());
          const BlockFormat& format = block_format(y.dtype);
          std::vector<std::byte> bytes(static_cast<size_t>(format.row_bytes(n)));
          encode_row(format, x.data(), n, bytes.data());
          decode_row(format, bytes.data(), n, x.data());
          std::copy(x.begin(), x.end(), y.data.begin());
          return std::vector<Tensor>{std::move(y)};
        },
    .tiles = [](const WeightTile& t, const std::vector<Type>&) { return std::vector<WeightTile>{t}; },
    .rounds = true,
});

}  // namespace
}  // namespace lmc::ops::cast
