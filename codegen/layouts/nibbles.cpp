#include "codegen/layouts/nibbles.h"

#include <cstring>

namespace lmc {

using llvm::Value;

namespace {

constexpr int64_t kRuns = 4;
constexpr int64_t kRunBytes = 32;

// Of 32 bytes.
struct Halves {
  Value *low, *high;
};

}  // namespace

void pack_nibbles(const std::byte* q, int64_t row, std::byte* block) {
  for (int64_t run = 0; run < kRuns; ++run) std::memcpy(block + run * kRunBytes + row * 4, q + run * 4, 4);
}

int unpack_nibble(const std::byte* block, int64_t row, int64_t col) {
  const int both = std::to_integer<int>(block[col % 16 / 4 * kRunBytes + row * 4 + col % 4]);
  return col < 16 ? both & 15 : both >> 4;
}

std::vector<std::vector<Value*>> emit_nibble_dots(KernelBuilder& k, const Contraction& c,
                                                  const std::vector<Value*>& blocks,
                                                  const Activations& activations) {
  auto& b = k.ir();
  llvm::Type* i8x32 = llvm::FixedVectorType::get(b.getInt8Ty(), kRunBytes);
  std::vector<std::vector<Value*>> dots(c.w.size());
  for (auto& row : dots) {
    for (size_t m = 0; m < c.x.size(); ++m) row.push_back(k.variable(k.target().start_uint4(b)));
  }
  k.loop(k.i64(0), k.i64(kRuns), 1, [&](Value* run) {
    const auto weights = [&](size_t i) -> Halves {
      Value* both = k.load(i8x32, k.at(blocks[i], k.mul(run, kRunBytes)));
      return {b.CreateAnd(both, llvm::ConstantInt::get(i8x32, 15)),
              b.CreateLShr(both, llvm::ConstantInt::get(i8x32, 4))};
    };
    const auto repeated = [&](size_t m) -> Halves {
      return {activations.repeated(c.x[m], run), activations.repeated(c.x[m], k.add(run, k.i64(kRuns)))};
    };
    const auto dot = [&](size_t i, size_t m, const Halves& w, const Halves& x) {
      Value* sum = k.target().dot_uint4(b, w.low, x.low, k.get(dots[i][m]));
      k.set(dots[i][m], k.target().dot_uint4(b, w.high, x.high, sum));
    };
    // The fewer ones stay in registers while the others pass.
    if (c.x.size() < c.w.size()) {
      std::vector<Halves> xs;
      for (size_t m = 0; m < c.x.size(); ++m) xs.push_back(repeated(m));
      for (size_t i = 0; i < c.w.size(); ++i) {
        const Halves w = weights(i);
        for (size_t m = 0; m < c.x.size(); ++m) dot(i, m, w, xs[m]);
      }
    } else {
      std::vector<Halves> ws;
      for (size_t i = 0; i < c.w.size(); ++i) ws.push_back(weights(i));
      for (size_t m = 0; m < c.x.size(); ++m) {
        const Halves x = repeated(m);
        for (size_t i = 0; i < c.w.size(); ++i) dot(i, m, ws[i], x);
      }
    }
  });
  for (auto& row : dots) {
    for (Value*& dot : row) dot = k.target().finish_uint4(b, k.get(dot));
  }
  return dots;
}

Value* emit_nibble_row(KernelBuilder& k, Value* block, Value* lane, Value* j) {
  auto& b = k.ir();
  llvm::Type* i8x4 = llvm::FixedVectorType::get(b.getInt8Ty(), 4);
  llvm::Type* i8x8 = llvm::FixedVectorType::get(b.getInt8Ty(), kLanes);
  Value* run = b.CreateLShr(b.CreateAnd(j, k.i64(15)), 2);
  Value* bytes = k.at(block, k.add(k.mul(run, kRunBytes), k.mul(lane, 4)));
  Value* first = k.load(i8x4, bytes);
  Value* second = k.load(i8x4, k.at(bytes, kRunBytes));
  Value* both = b.CreateShuffleVector(first, second, {0, 1, 2, 3, 4, 5, 6, 7});
  Value* shift = b.CreateTrunc(b.CreateLShr(b.CreateAnd(j, k.i64(16)), 2), b.getInt8Ty());
  Value* q =
      b.CreateAnd(b.CreateLShr(both, b.CreateVectorSplat(kLanes, shift)), llvm::ConstantInt::get(i8x8, 15));
  return b.CreateUIToFP(q, k.f32x8());
}

}  // namespace lmc
