// Multiplication by a constant.
#include <cmath>

#include "ir/ops/common.h"

namespace lmc::ops::scale {
namespace {

const RegisterOp kOp(ops::unary("scale", "x * by",
                                [](double x, const EvalArgs& a) { return x * a.real("by"); },
                                {{"by", AttrKind::real, std::nullopt, "the factor"}}));

}  // namespace
}  // namespace lmc::ops::scale
