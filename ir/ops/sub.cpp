// Elementwise difference.
#include <cmath>

#include "ir/ops/common.h"

namespace lmc::ops::sub {
namespace {

const RegisterOp kOp(ops::binary("sub", "a - b", false, [](double a, double b) { return a - b; }));

}  // namespace
}  // namespace lmc::ops::sub
