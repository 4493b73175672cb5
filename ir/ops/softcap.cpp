// Gemma 2's soft limit on scores and logits.
#include <cmath>

#include "ir/ops/common.h"

namespace lmc::ops::softcap {
namespace {

const RegisterOp kOp([] {
  OpDef def =
      ops::unary("softcap", "cap * tanh(x / cap)",
                 [](double x, const EvalArgs& a) { return a.real("cap") * std::tanh(x / a.real("cap")); },
                 {{"cap", AttrKind::real, std::nullopt, "the limit, above 0"}});
  def.exps = 1;
  return def;
}());

}  // namespace
}  // namespace lmc::ops::softcap
