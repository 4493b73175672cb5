// What kernels compute of it, on the lanes of a register.
#include "codegen/kernels/row_kernel.h"

namespace lmc::made_up_cube_kernel {
namespace {

using llvm::Value;

const RegisterRowOp kCube("cube", {[](KernelBuilder& k, const Op&, const std::vector<Value*>& x) -> Value* {
                                     return k.ir().CreateFMul(x[0], k.ir().CreateFMul(x[0], x[0]));
                                   },
                                   nullptr});

}  // namespace
}  // namespace lmc::made_up_cube_kernel
