// Elementwise product.
#include <cmath>

#include "ir/ops/common.h"

namespace lmc::ops::mul {
namespace {

const RegisterOp kOp(ops::binary("mul", "a * b", true, [](double a, double b) { return a * b; }));

}  // namespace
}  // namespace lmc::ops::mul
