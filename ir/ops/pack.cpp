// The layout a kernel wants its weight in. Changes where numbers lie, not what they are.
#include <algorithm>
#include <cmath>

#include "ir/ops/common.h"

namespace lmc {
namespace {

const RegisterOp kOp(OpDef{
    .name = "pack",
    .doc = "the same weight, laid out for the kernel that reads it (see codegen/layout.h)",
    .shape = OpShape::weight,
    .operands = {{"x", "a weight"}},
    .attrs = {{"layout", AttrKind::text, std::nullopt,
               "f32, f16 or bf16, row-major; or rows in groups of 8: q8_0.rows8, …"}},
    .infer =
        [](const InferArgs& a) {
          require(a[0].is_static(), "only weights can be packed, found " + a[0].str());
          return std::vector<Type>{a[0]};
        },
    .eval = [](const EvalArgs& a) { return std::vector<Tensor>{a[0]}; },
});

}  // namespace
}  // namespace lmc
