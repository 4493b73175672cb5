// The layout a kernel wants its weight in. Changes where numbers lie, not what they are.
#include <algorithm>
#include <cmath>

#include "ir/ops/common.h"
#include "ir/weight_view.h"

namespace lmc::ops::pack {
namespace {

const RegisterOp kOp(OpDef{
    .name = "pack",
    .doc = "the same weight, laid out for the kernel that reads it (see codegen/layout.h)",
    .category = OpCategory::weight,
    .operands = {{"x", "a weight"}},
    .attrs = {{"layout", AttrKind::text, std::nullopt,
               "f32, f16 or bf16, row-major; or one that puts rows side by side"}},
    .infer =
        [](const InferArgs& a) {
          require(a[0].is_static(), [&] { return "only weights can be packed, found " + a[0].str(); });
          return std::vector<Type>{a[0]};
        },
    .eval = [](const EvalArgs& a) { return std::vector<Tensor>{a[0]}; },
    // Who packs numbers in their own format rounds them himself, and knows by how much.
    .view =
        [](const ViewArgs& a) {
          const auto row_major = dtype_from_name(a.text("layout"));
          return row_major && row_major != a.type.dtype ? *a.in[0] : *a.unrounded[0];
        },
});

}  // namespace
}  // namespace lmc::ops::pack
