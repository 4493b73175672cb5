// Q8_0: blocks of 32 as int8 with one f16 scale, the format of GGUF. Weights and activations alike.
#include <algorithm>
#include <cmath>

#include "ir/ops/common.h"

namespace lmc {
namespace {

// d = max|x| / 127 in f32, limited to f16's range and rounded to f16; q = x / d to the nearest integer.
void quantize_block(const double* x, double* y, int64_t n) {
  float largest = 0;
  for (int64_t i = 0; i < n; ++i) largest = std::max(largest, std::fabs(static_cast<float>(x[i])));
  const float d = f16_to_f32(f32_to_f16(std::min(largest / 127.0f, 65504.0f)));
  const float inverse = d > 0 ? 1.0f / d : 0.0f;
  for (int64_t i = 0; i < n; ++i) {
    const float q = std::clamp(std::nearbyintf(static_cast<float>(x[i]) * inverse), -127.0f, 127.0f);
    y[i] = static_cast<double>(q) * static_cast<double>(d);
  }
}

const RegisterOp kOp(OpDef{
    .name = "quantize",
    .doc = "blocks of 32 along the last dimension as int8 times one f16 scale; the last block is padded with "
           "zeros",
    .shape = OpShape::row,
    .operands = {{"x", "[.., K] float, of rank 2 or more"}},
    .attrs = {{"format", AttrKind::text, std::string("q8_0"), "q8_0"}},
    .infer =
        [](const InferArgs& a) {
          require(a.text("format") == "q8_0", "unknown format '" + a.text("format") + "'; there is q8_0");
          require(is_float(a[0].dtype) && a[0].rank() >= 2,
                  "x must be float rows [.., K], found " + a[0].str());
          return std::vector<Type>{with_dtype(a[0], DType::q8_0)};
        },
    .eval =
        [](const EvalArgs& a) {
          Tensor y = a[0];
          y.dtype = DType::q8_0;
          for (int64_t r = 0; r < y.rows(); ++r) {
            for (int64_t k = 0; k < y.last(); k += kQ8Block) {
              quantize_block(a[0].row(r) + k, y.row(r) + k, std::min(kQ8Block, y.last() - k));
            }
          }
          return std::vector<Tensor>{std::move(y)};
        },
    .flops = [](const InferArgs& a) { return 3.0 * static_cast<double>(a[0].elements()); },
});

}  // namespace
}  // namespace lmc
