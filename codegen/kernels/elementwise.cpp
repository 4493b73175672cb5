// Elementwise ops on 8 lanes.
#include <numbers>

#include "codegen/kernels/math.h"
#include "codegen/kernels/row_kernel.h"

namespace lmc::kernels::elementwise {
namespace {

using Lanes = std::vector<llvm::Value*>;

// By halves, as the op says.
llvm::Value* sum(KernelBuilder& k, const Lanes& x, size_t first, size_t count) {
  if (count == 1) return x[first];
  const size_t half = count / 2;
  llvm::Value* front = sum(k, x, first, half);
  return k.ir().CreateFAdd(front, sum(k, x, first + half, count - half));
}

RowOpEmitter lanes(llvm::Value* (*f)(KernelBuilder&, const Op&, const Lanes&)) { return {f, nullptr}; }

const RegisterRowOp kAdd("add", lanes([](KernelBuilder& k, const Op&, const Lanes& x) -> llvm::Value* {
                           return k.ir().CreateFAdd(x[0], x[1]);
                         }));
const RegisterRowOp kReduce("reduce", lanes([](KernelBuilder& k, const Op&, const Lanes& x) -> llvm::Value* {
                              return sum(k, x, 0, x.size());
                            }));
const RegisterRowOp kSub("sub", lanes([](KernelBuilder& k, const Op&, const Lanes& x) -> llvm::Value* {
                           return k.ir().CreateFSub(x[0], x[1]);
                         }));
const RegisterRowOp kMul("mul", lanes([](KernelBuilder& k, const Op&, const Lanes& x) -> llvm::Value* {
                           return k.ir().CreateFMul(x[0], x[1]);
                         }));
const RegisterRowOp kScale("scale", lanes([](KernelBuilder& k, const Op& op, const Lanes& x) -> llvm::Value* {
                             return k.ir().CreateFMul(x[0], k.splat(attr_real(op, "by")));
                           }));
const RegisterRowOp kShift("shift", lanes([](KernelBuilder& k, const Op& op, const Lanes& x) -> llvm::Value* {
                             return k.ir().CreateFAdd(x[0], k.splat(attr_real(op, "by")));
                           }));
const RegisterRowOp kClamp("clamp", lanes([](KernelBuilder& k, const Op& op, const Lanes& x) -> llvm::Value* {
                             auto& b = k.ir();
                             llvm::Value* low = k.splat(attr_real(op, "low"));
                             llvm::Value* high = k.splat(attr_real(op, "high"));
                             llvm::Value* y = b.CreateSelect(b.CreateFCmpOLT(x[0], low), low, x[0]);
                             return b.CreateSelect(b.CreateFCmpOGT(y, high), high, y);
                           }));
const RegisterRowOp kRelu("relu", lanes([](KernelBuilder& k, const Op&, const Lanes& x) -> llvm::Value* {
                            return k.ir().CreateSelect(k.ir().CreateFCmpOLT(x[0], k.splat(0.0)), k.splat(0.0),
                                                       x[0]);
                          }));
const RegisterRowOp kTanh("tanh", lanes([](KernelBuilder& k, const Op&, const Lanes& x) -> llvm::Value* {
                            return math::tanh(k, x[0]);
                          }));
const RegisterRowOp kExp("exp", lanes([](KernelBuilder& k, const Op&, const Lanes& x) -> llvm::Value* {
                           return math::exp(k, x[0]);
                         }));
const RegisterRowOp kSoftplus("softplus",
                              lanes([](KernelBuilder& k, const Op&, const Lanes& x) -> llvm::Value* {
                                return math::softplus(k, x[0]);
                              }));
const RegisterRowOp kSigmoid("sigmoid",
                             lanes([](KernelBuilder& k, const Op&, const Lanes& x) -> llvm::Value* {
                               return math::sigmoid(k, x[0]);
                             }));
const RegisterRowOp kSilu("silu", lanes([](KernelBuilder& k, const Op&, const Lanes& x) -> llvm::Value* {
                            return k.ir().CreateFMul(x[0], math::sigmoid(k, x[0]));
                          }));
// 0.5 x (1 + tanh(u)) = x sigmoid(2u) with u = sqrt(2/pi) (x + 0.044715 x^3): no cancellation for x << 0.
const RegisterRowOp kGeluTanh("gelu_tanh",
                              lanes([](KernelBuilder& k, const Op&, const Lanes& x) -> llvm::Value* {
                                auto& b = k.ir();
                                constexpr double c = 2 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
                                llvm::Value* square = b.CreateFMul(x[0], x[0]);
                                llvm::Value* slope = k.fma(square, k.splat(c * 0.044715), k.splat(c));
                                return b.CreateFMul(x[0], math::sigmoid(k, b.CreateFMul(x[0], slope)));
                              }));
const RegisterRowOp kGeluErf("gelu_erf",
                             lanes([](KernelBuilder& k, const Op&, const Lanes& x) -> llvm::Value* {
                               auto& b = k.ir();
                               llvm::Value* e =
                                   math::erf(k, b.CreateFMul(x[0], k.splat(1 / std::numbers::sqrt2)));
                               llvm::Value* half = b.CreateFMul(x[0], k.splat(0.5));
                               return k.fma(half, e, half);
                             }));
const RegisterRowOp kSoftcap("softcap",
                             lanes([](KernelBuilder& k, const Op& op, const Lanes& x) -> llvm::Value* {
                               auto& b = k.ir();
                               const double cap = attr_real(op, "cap");
                               llvm::Value* t = math::tanh(k, b.CreateFMul(x[0], k.splat(1 / cap)));
                               return b.CreateFMul(t, k.splat(cap));
                             }));

}  // namespace
}  // namespace lmc::kernels::elementwise
