// Weights by the high halves of their numbers, which are half of the bytes: enough to guess a token.
#include "ir/block_format.h"
#include "ir/ops/common.h"

namespace lmc::ops::high_nibbles {
namespace {

const char* const kHigh = "q8_0_high";

const RegisterOp kOp(OpDef{
    .name = "high_nibbles",
    .doc = "a packed weight of q8_0, read by the high halves of its numbers alone: d * (16 h + 8) with h = "
           "floor(q / 16), for steps that guess",
    .category = OpCategory::weight,
    .operands = {{"x", "the result of a pack, q8_0"}},
    .attrs = {{"layout", AttrKind::text, std::nullopt, "that reads the bytes of x's layout so"}},
    .infer =
        [](const InferArgs& a) {
          require(a[0].is_static() && a[0].dtype == DType::q8_0,
                  [&] { return "only weights of q8_0 have high halves, found " + a[0].str(); });
          return std::vector<Type>{with_dtype(a[0], *dtype_from_name(kHigh))};
        },
    .eval =
        [](const EvalArgs& a) {
          Tensor y = a[0];
          y.dtype = *dtype_from_name(kHigh);
          for (int64_t r = 0; r < y.rows(); ++r) round_row(block_format(y.dtype), y.row(r), y.last());
          return std::vector<Tensor>{std::move(y)};
        },
});

}  // namespace
}  // namespace lmc::ops::high_nibbles
