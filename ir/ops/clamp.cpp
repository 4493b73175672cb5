// Numbers kept within bounds.
#include <algorithm>

#include "ir/ops/common.h"

namespace lmc::ops::clamp {
namespace {

constexpr double kMost = 3.4028234663852886e38;  // the largest f32

const RegisterOp kOp([] {
  OpDef def = ops::unary("clamp", "x, but no less than low and no more than high",
                         [](double x, const EvalArgs& a) {
                           // As the kernel compares, so that what is no number stays none.
                           x = x < a.real("low") ? a.real("low") : x;
                           return x > a.real("high") ? a.real("high") : x;
                         },
                         {{"low", AttrKind::real, -kMost, "the least; left out: none"},
                          {"high", AttrKind::real, kMost, "the most; left out: none"}});
  def.infer = [](const InferArgs& a) {
    require_activation(a[0], "x");
    require(a.real("low") <= a.real("high"), "low must not be above high");
    return std::vector<Type>{a[0]};
  };
  return def;
}());

}  // namespace
}  // namespace lmc::ops::clamp
