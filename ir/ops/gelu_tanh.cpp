// GELU by its tanh approximation (Hendrycks, Gimpel 2016): gelu_new and gelu_pytorch_tanh.
#include <cmath>

#include "ir/ops/common.h"

namespace lmc::ops::gelu_tanh {
namespace {

const RegisterOp kOp(ops::activation(
    "gelu_tanh", "0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))", [](double x, const EvalArgs&) {
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    }));

}  // namespace
}  // namespace lmc::ops::gelu_tanh
