// Rectifier.
#include <cmath>

#include "ir/ops/common.h"

namespace lmc::ops::relu {
namespace {

const RegisterOp kOp([] {
  OpDef def = ops::activation("relu", "max(x, 0)", [](double x, const EvalArgs&) { return x < 0 ? 0.0 : x; });
  def.exps = 0;
  return def;
}());

}  // namespace
}  // namespace lmc::ops::relu
