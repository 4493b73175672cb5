// Hyperbolic tangent.
#include <cmath>

#include "ir/ops/common.h"

namespace lmc {
namespace {

const RegisterOp kOp(ops::unary("tanh", "tanh(x)", [](double x, const EvalArgs&) { return std::tanh(x); }));

}  // namespace
}  // namespace lmc
