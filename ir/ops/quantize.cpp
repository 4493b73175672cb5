// Rounds numbers to a format of fewer bits: activations to Q8_0, weights to any of ir/block_format.h.
#include "ir/block_format.h"
#include "ir/ops/common.h"
#include "ir/weight_view.h"

namespace lmc::ops::quantize {
namespace {

DType format_of(const std::string& name) {
  const auto format = dtype_from_name(name);
  require(format && is_weight_format(*format),
          [&] { return "unknown format '" + name + "'; there is " + weight_format_names(); });
  return *format;
}

const RegisterOp kOp(OpDef{
    .name = "quantize",
    .doc =
        "numbers rounded to a format: along the last dimension in blocks (q8_0: 32 as int8 times one f16 "
        "scale; q4_0, q4_k and others: fewer bits; the last block is padded with zeros), or each to f16 or "
        "bf16. Activations can be rounded to q8_0 only",
    .category = OpCategory::row,
    .operands = {{"x", "[.., K] float, of rank 2 or more"}},
    .attrs = {{"format", AttrKind::text, std::string("q8_0"),
               "a format that weights are stored in: q8_0, bf16, …"}},
    .infer =
        [](const InferArgs& a) {
          const DType format = format_of(a.text("format"));
          require(is_float(a[0].dtype) && a[0].rank() >= 2,
                  [&] { return "x must be float rows [.., K], found " + a[0].str(); });
          require(a[0].is_static() || format == DType::q8_0,
                  [&] { return "activations can be rounded to q8_0 only, not to " + a.text("format"); });
          return std::vector<Type>{with_dtype(a[0], format)};
        },
    .eval =
        [](const EvalArgs& a) {
          Tensor y = a[0];
          y.dtype = format_of(a.text("format"));
          for (int64_t r = 0; r < y.rows(); ++r) round_row(block_format(y.dtype), y.row(r), y.last());
          return std::vector<Tensor>{std::move(y)};
        },
    // Largest of the block (2), scaled, rounded, clamped (2), converted, packed, and summed.
    .flops = [](const InferArgs& a) { return 9.0 * static_cast<double>(a[0].elements()); },
    .tiles = [](const WeightTile& t, const std::vector<Type>&) { return std::vector<WeightTile>{t}; },
    .rounds = true,
});

}  // namespace
}  // namespace lmc::ops::quantize
