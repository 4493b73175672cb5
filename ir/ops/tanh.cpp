// Hyperbolic tangent.
#include <cmath>

#include "ir/ops/common.h"

namespace lmc::ops::tanh {
namespace {

const RegisterOp kOp([] {
  OpDef def = ops::unary("tanh", "tanh(x)", [](double x, const EvalArgs&) { return std::tanh(x); });
  def.exps = 1;
  return def;
}());

}  // namespace
}  // namespace lmc::ops::tanh
