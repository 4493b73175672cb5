// Elementwise sum.
#include <cmath>

#include "ir/ops/common.h"

namespace lmc::ops::add {
namespace {

const RegisterOp kOp(ops::binary("add", "a + b", true, [](double a, double b) { return a + b; }));

}  // namespace
}  // namespace lmc::ops::add
