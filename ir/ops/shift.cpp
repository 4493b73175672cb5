// Addition of a constant.
#include "ir/ops/common.h"

namespace lmc::ops::shift {
namespace {

const RegisterOp kOp(ops::unary("shift", "x + by",
                                [](double x, const EvalArgs& a) { return x + a.real("by"); },
                                {{"by", AttrKind::real, std::nullopt, "what is added"}}));

}  // namespace
}  // namespace lmc::ops::shift
