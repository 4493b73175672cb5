// Rectifier.
#include <cmath>

#include "ir/ops/common.h"

namespace lmc {
namespace {

const RegisterOp kOp(ops::activation("relu", "max(x, 0)",
                                     [](double x, const EvalArgs&) { return x < 0 ? 0.0 : x; }));

}  // namespace
}  // namespace lmc
