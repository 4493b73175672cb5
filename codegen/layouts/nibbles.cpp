#include "codegen/layouts/nibbles.h"

#include <cstring>

namespace lmc {

namespace {

constexpr int64_t kRuns = 4;

// Of the bytes of a run.
struct Halves {
  llvm::Value *low, *high;
};

}  // namespace

void Nibbles::pack(const std::byte* q, int64_t row, std::byte* block) const {
  for (int64_t run = 0; run < kRuns; ++run) std::memcpy(block + run * run_bytes() + row * 4, q + run * 4, 4);
}

int Nibbles::unpack(const std::byte* block, int64_t row, int64_t col) const {
  const int both = std::to_integer<int>(block[col % 16 / 4 * run_bytes() + row * 4 + col % 4]);
  return col < 16 ? both & 15 : both >> 4;
}

std::vector<std::vector<llvm::Value*>> Nibbles::emit_dots(KernelBuilder& k, const Contraction& c,
                                                          const std::vector<llvm::Value*>& blocks,
                                                          const Activations& activations) const {
  auto& b = k.ir();
  llvm::Type* bytes = k.vector(b.getInt8Ty(), run_bytes());
  std::vector<std::vector<llvm::Value*>> dots(c.w.size());
  for (auto& row : dots) {
    for (size_t m = 0; m < c.x.size(); ++m) row.push_back(k.variable(k.target().start_uint4(b, rows_)));
  }
  k.loop(k.i64(0), k.i64(kRuns), 1, [&](llvm::Value* run) {
    const auto weights = [&](size_t i) -> Halves {
      llvm::Value* both = k.load(bytes, k.at(blocks[i], k.mul(run, run_bytes())));
      return {b.CreateAnd(both, llvm::ConstantInt::get(bytes, 15)),
              b.CreateLShr(both, llvm::ConstantInt::get(bytes, 4))};
    };
    const auto repeated = [&](size_t m) -> Halves {
      return {activations.repeated(c.x[m], run, rows_),
              activations.repeated(c.x[m], k.add(run, k.i64(kRuns)), rows_)};
    };
    const auto dot = [&](size_t i, size_t m, const Halves& w, const Halves& x) {
      llvm::Value* sum = k.target().dot_uint4(b, w.low, x.low, k.get(dots[i][m]));
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
    for (llvm::Value*& dot : row) dot = k.target().finish_uint4(b, k.get(dot));
  }
  return dots;
}

llvm::Value* Nibbles::emit_row(KernelBuilder& k, llvm::Value* block, llvm::Value* lane,
                               llvm::Value* j) const {
  auto& b = k.ir();
  llvm::Type* i8x4 = llvm::FixedVectorType::get(b.getInt8Ty(), 4);
  llvm::Type* i8x8 = llvm::FixedVectorType::get(b.getInt8Ty(), kLanes);
  llvm::Value* run = b.CreateLShr(b.CreateAnd(j, k.i64(15)), 2);
  llvm::Value* bytes = k.at(block, k.add(k.mul(run, run_bytes()), k.mul(lane, 4)));
  llvm::Value* first = k.load(i8x4, bytes);
  llvm::Value* second = k.load(i8x4, k.at(bytes, run_bytes()));
  llvm::Value* both = b.CreateShuffleVector(first, second, {0, 1, 2, 3, 4, 5, 6, 7});
  llvm::Value* shift = b.CreateTrunc(b.CreateLShr(b.CreateAnd(j, k.i64(16)), 2), b.getInt8Ty());
  llvm::Value* q =
      b.CreateAnd(b.CreateLShr(both, b.CreateVectorSplat(kLanes, shift)), llvm::ConstantInt::get(i8x8, 15));
  return b.CreateUIToFP(q, k.floats());
}

}  // namespace lmc
