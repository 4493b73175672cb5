// The logistic function: gates.
#include <cmath>

#include "ir/ops/common.h"

namespace lmc::ops::sigmoid {
namespace {

const RegisterOp kOp([] {
  OpDef def = ops::unary("sigmoid", "1 / (1 + exp(-x))",
                         [](double x, const EvalArgs&) { return 1 / (1 + std::exp(-x)); });
  def.exps = 1;
  return def;
}());

}  // namespace
}  // namespace lmc::ops::sigmoid
