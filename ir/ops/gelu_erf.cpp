// GELU, exactly.
#include <cmath>

#include "ir/ops/common.h"

namespace lmc::ops::gelu_erf {
namespace {

const RegisterOp kOp(ops::activation("gelu_erf", "0.5 x (1 + erf(x / sqrt(2)))",
                                     [](double x, const EvalArgs&) {
                                       return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
                                     }));

}  // namespace
}  // namespace lmc::ops::gelu_erf
