// SiLU, also called swish.
#include <cmath>

#include "ir/ops/common.h"

namespace lmc::ops::silu {
namespace {

const RegisterOp kOp(ops::activation("silu", "x / (1 + exp(-x))",
                                     [](double x, const EvalArgs&) { return x / (1 + std::exp(-x)); }));

}  // namespace
}  // namespace lmc::ops::silu
