// A smooth max(x, 0): what time steps of state-space models are made positive with.
#include <algorithm>
#include <cmath>

#include "ir/ops/common.h"

namespace lmc::ops::softplus {
namespace {

const RegisterOp kOp([] {
  OpDef def = ops::unary("softplus", "log(1 + exp(x))", [](double x, const EvalArgs&) {
    return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
  });
  def.exps = 2;
  return def;
}());

}  // namespace
}  // namespace lmc::ops::softplus
