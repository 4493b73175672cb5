// Rotary embeddings: the angles once per step, in double because positions times frequencies need the digits;
// then the rotation of each head: of lanes j and j + r/2, or of lanes 2j and 2j + 1.
#include <tuple>

#include "codegen/kernels/math.h"
#include "codegen/kernels/row_kernel.h"
#include "ir/rope_frequencies.h"

namespace lmc::kernels::rope {
namespace {

// Frequencies in whole vectors, in the code's read-only data.
llvm::Value* frequency_table(KernelBuilder& k, std::vector<double> frequencies) {
  frequencies.resize((frequencies.size() + kLanes - 1) / kLanes * kLanes);
  llvm::Module& m = *k.ir().GetInsertBlock()->getModule();
  llvm::Constant* table = llvm::ConstantDataArray::get(m.getContext(), frequencies);
  auto* global = new llvm::GlobalVariable(m, table->getType(), true, llvm::GlobalValue::PrivateLinkage, table,
                                          "inv_freq");
  global->setAlignment(llvm::Align(64));
  return global;
}

void rope_angles(RowEmitter& e, const Op& op) {
  KernelBuilder& k = e.k;
  auto& b = k.ir();
  const int64_t half = attr_int(op, "dims") / 2;
  llvm::Value* table = frequency_table(k, rope_frequencies(op.attrs, false));
  llvm::Value* factor = llvm::ConstantFP::get(b.getDoubleTy(), rope_scale(op.attrs, false));
  if (const int64_t border = rope_border(op.attrs)) {
    llvm::Value* length = k.load(b.getInt32Ty(), e.address(op.operands[1]), 4);
    llvm::Value* beyond = b.CreateICmpSGT(b.CreateSExt(length, b.getInt64Ty()), k.i64(border));
    table = b.CreateSelect(beyond, frequency_table(k, rope_frequencies(op.attrs, true)), table);
    factor =
        b.CreateSelect(beyond, llvm::ConstantFP::get(b.getDoubleTy(), rope_scale(op.attrs, true)), factor);
  }
  const bool scaled = rope_border(op.attrs) > 0 || rope_scale(op.attrs, false) != 1;

  llvm::Type* f64x8 = llvm::FixedVectorType::get(b.getDoubleTy(), kLanes);
  llvm::Value* pos = b.CreateSIToFP(k.load(b.getInt32Ty(), e.address(op.operands[0]), 4), b.getDoubleTy());
  e.for_lanes(half, [&](llvm::Value* j, int64_t n) {
    llvm::Value* frequency = k.load(f64x8, k.at(table, k.mul(j, 8)), 8);
    math::SinCos sc = math::sincos(k, b.CreateFMul(b.CreateVectorSplat(kLanes, pos), frequency));
    if (scaled) {
      sc.cos = b.CreateFMul(sc.cos, b.CreateVectorSplat(kLanes, factor));
      sc.sin = b.CreateFMul(sc.sin, b.CreateVectorSplat(kLanes, factor));
    }
    e.store(op.results[0], k.i64(0), j, b.CreateFPTrunc(sc.cos, k.floats()), n);
    e.store(op.results[0], k.i64(0), k.add(j, k.i64(half)), b.CreateFPTrunc(sc.sin, k.floats()), n);
  });
}

// Lanes j and j + r/2 of one head.
void rotate_halves(RowEmitter& e, const Op& op, llvm::Value* head) {
  KernelBuilder& k = e.k;
  auto& b = k.ir();
  const auto [x, angles, y] = std::tuple(op.operands[0], op.operands[1], op.results[0]);
  const int64_t half = e.g.type(angles).last() / 2;
  llvm::Value* zero = k.i64(0);
  e.for_wide_lanes(half, [&](llvm::Value* j, int64_t n) {
    llvm::Value* j2 = k.add(j, k.i64(half));
    llvm::Value* c = e.lanes(angles, zero, j);
    llvm::Value* s = e.lanes(angles, zero, j2);
    llvm::Value* a = e.lanes(x, head, j);
    llvm::Value* d = e.lanes(x, head, j2);
    e.store(y, head, j, k.fma(a, c, b.CreateFNeg(b.CreateFMul(d, s))), n);
    e.store(y, head, j2, k.fma(d, c, b.CreateFMul(a, s)), n);
  });
}

// Of half as many lanes each twice: <0, 0, 1, 1, …>.
llvm::Value* twice(KernelBuilder& k, llvm::Value* v) {
  std::vector<int> lanes;
  for (int i = 0; i < k.lanes(); ++i) lanes.push_back(i / 2);
  return k.ir().CreateShuffleVector(v, lanes);
}

llvm::Value* pairs_exchanged(KernelBuilder& k, llvm::Value* v) {
  std::vector<int> lanes;
  for (int i = 0; i < k.lanes(); ++i) lanes.push_back(i ^ 1);
  return k.ir().CreateShuffleVector(v, lanes);
}

// Lanes 2j and 2j + 1 of one head: the sums are those of rotate_halves, in the order of the lanes.
void rotate_pairs(RowEmitter& e, const Op& op, llvm::Value* head) {
  KernelBuilder& k = e.k;
  auto& b = k.ir();
  const auto [x, angles, y] = std::tuple(op.operands[0], op.operands[1], op.results[0]);
  const int64_t dims = e.g.type(angles).last();
  e.for_wide_lanes(dims, [&](llvm::Value* i, int64_t n) {
    const auto angle = [&](llvm::Value* j) {
      llvm::Value* v = nullptr;
      {
        const WithLanes half(k, k.lanes() / 2);
        v = e.lanes(angles, k.i64(0), j);
      }
      return twice(k, v);
    };
    llvm::Value* j = b.CreateLShr(i, 1);
    llvm::Value* c = angle(j);
    llvm::Value* s = angle(k.add(j, k.i64(dims / 2)));
    llvm::Value* a = e.lanes(x, head, i);
    llvm::Value* other = b.CreateFMul(pairs_exchanged(k, a), s);
    std::vector<llvm::Constant*> first;
    for (int64_t lane = 0; lane < k.lanes(); ++lane) first.push_back(b.getInt1(lane % 2 == 0));
    other = b.CreateSelect(llvm::ConstantVector::get(first), b.CreateFNeg(other), other);
    e.store(y, head, i, k.fma(a, c, other), n);
  });
}

void rope(RowEmitter& e, const Op& op) {
  KernelBuilder& k = e.k;
  const Type& t = e.g.type(op.operands[0]);
  const int64_t dims = e.g.type(op.operands[1]).last();
  const bool interleaved = attr_int(op, "interleaved") == 1;
  k.loop(k.i64(0), k.i64(RowEmitter::sub_rows(t)), 1, [&](llvm::Value* head) {
    (interleaved ? rotate_pairs : rotate_halves)(e, op, head);
    const int64_t rest = t.last() - dims;
    if (rest > 0) {
      e.for_wide_lanes(rest, [&](llvm::Value* i, int64_t n) {
        llvm::Value* j = k.add(i, k.i64(dims));
        e.store(op.results[0], head, j, e.lanes(op.operands[0], head, j), n);
      });
    }
  });
}

const RegisterRowOp kRopeAngles("rope_angles", {nullptr, rope_angles});
const RegisterRowOp kRope("rope", {nullptr, rope, true});

}  // namespace
}  // namespace lmc::kernels::rope
