// The sum of parts of a sum, in one order however many there are of them in one place: that is what makes a
// contraction that is cut along k give the same bits on any number of machines.
#include "ir/ops/common.h"

namespace lmc::ops::reduce {
namespace {

double sum(const EvalArgs& a, size_t first, size_t count, size_t element) {
  if (count == 1) return a[first].data[element];
  const size_t half = count / 2;
  return sum(a, first, half, element) + sum(a, first + half, count - half, element);
}

const RegisterOp kOp(OpDef{
    .name = "reduce",
    .doc =
        "the sum of the parts by halves, (a + b) + (c + d): of 2^n parts the same bits as the reduce of what "
        "each half, quarter, … of them gives",
    .category = OpCategory::elementwise,
    .operands = {{"parts", "[.., N] f32, of one shape", false, true}},
    .infer =
        [](const InferArgs& a) {
          for (const Type& t : a.types) {
            ops::require_activation(t, "a part");
            require(t == a[0],
                    [&] { return "parts must have one shape, found " + a[0].str() + " and " + t.str(); });
          }
          return std::vector<Type>{a[0]};
        },
    .eval =
        [](const EvalArgs& a) {
          Tensor y = a[0];
          for (size_t i = 0; i < y.data.size(); ++i) y.data[i] = sum(a, 0, a.size(), i);
          return std::vector<Tensor>{std::move(y)};
        },
    .flops =
        [](const InferArgs& a) {
          return static_cast<double>(a.size() - 1) * static_cast<double>(a[0].elements());
        },
});

}  // namespace
}  // namespace lmc::ops::reduce
