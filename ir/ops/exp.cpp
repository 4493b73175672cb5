// The exponential function.
#include <cmath>

#include "ir/ops/common.h"

namespace lmc::ops::exp {
namespace {

const RegisterOp kOp([] {
  OpDef def = ops::unary("exp", "exp(x)", [](double x, const EvalArgs&) { return std::exp(x); });
  def.exps = 1;
  return def;
}());

}  // namespace
}  // namespace lmc::ops::exp
