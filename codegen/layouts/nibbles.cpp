#include "codegen/layouts/nibbles.h"

#include <cstring>

#include "codegen/layouts/quads.h"

namespace lmc {

void Nibbles::pack(const std::byte* q, int64_t row, std::byte* block) const {
  for (int64_t run = 0; run < kRuns; ++run) std::memcpy(block + run * run_bytes() + row * 4, q + run * 4, 4);
}

int Nibbles::unpack(const std::byte* block, int64_t row, int64_t col) const {
  const int both = std::to_integer<int>(block[col % 16 / 4 * run_bytes() + row * 4 + col % 4]);
  return col < 16 ? both & 15 : both >> 4;
}

void Nibbles::emit_ready(KernelBuilder& k, llvm::Value* block, llvm::Value* out, const Map& as) const {
  const auto put = [&](llvm::Value* numbers, int64_t run) {
    k.store(as ? as(numbers) : numbers, k.at(out, run * run_bytes()));
  };
  for (int64_t run = 0; run < kRuns; ++run) {
    const Halves halves = load(k, k.at(block, run * run_bytes()));
    put(halves.low, run);
    put(halves.high, kRuns + run);
  }
}

std::vector<std::vector<llvm::Value*>> Nibbles::emit_dots(KernelBuilder& k, const Contraction& c,
                                                          const std::vector<llvm::Value*>& blocks,
                                                          const Activations& activations) const {
  auto& b = k.ir();
  std::vector<std::vector<llvm::Value*>> dots(c.w.size());
  for (auto& row : dots) {
    for (size_t m = 0; m < c.x.size(); ++m) row.push_back(k.variable(k.target().start_uint4(b, rows_)));
  }
  const auto add = [&](size_t i, size_t m, llvm::Value* w, llvm::Value* x) {
    k.set(dots[i][m], k.target().dot_uint4(b, w, x, k.get(dots[i][m])));
  };
  const auto repeated = [&](size_t m, llvm::Value* quad) {
    return activations.repeated(c.x[m], quad, rows_);
  };
  const auto address = [&](size_t i, llvm::Value* run) { return k.at(blocks[i], k.mul(run, run_bytes())); };
  if (c.ready) {
    for_quads(
        k, c, 2 * kRuns, [&](size_t i, llvm::Value* quad) { return k.load(run_type(k), address(i, quad)); },
        repeated, add);
  } else {
    for_quads(
        k, c, kRuns, [&](size_t i, llvm::Value* run) { return load(k, address(i, run)); },
        [&](size_t m, llvm::Value* run) {
          return Halves{repeated(m, run), repeated(m, k.add(run, k.i64(kRuns)))};
        },
        [&](size_t i, size_t m, const Halves& w, const Halves& x) {
          add(i, m, w.low, x.low);
          add(i, m, w.high, x.high);
        });
  }
  for (auto& row : dots) {
    for (llvm::Value*& dot : row) dot = k.target().finish_uint4(b, k.get(dot));
  }
  return dots;
}

Nibbles::Halves Nibbles::load(KernelBuilder& k, llvm::Value* run) const {
  auto& b = k.ir();
  llvm::Type* bytes = run_type(k);
  llvm::Value* both = k.load(bytes, run);
  return {b.CreateAnd(both, llvm::ConstantInt::get(bytes, 15)),
          b.CreateLShr(both, llvm::ConstantInt::get(bytes, 4))};
}

llvm::Type* Nibbles::run_type(KernelBuilder& k) const { return k.vector(k.ir().getInt8Ty(), run_bytes()); }

llvm::Value* Nibbles::emit_bytes(KernelBuilder& k, llvm::Value* block, llvm::Value* lane,
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
  return b.CreateAnd(b.CreateLShr(both, b.CreateVectorSplat(kLanes, shift)),
                     llvm::ConstantInt::get(i8x8, 15));
}

llvm::Value* Nibbles::emit_row(KernelBuilder& k, llvm::Value* block, llvm::Value* lane,
                               llvm::Value* j) const {
  return k.ir().CreateUIToFP(emit_bytes(k, block, lane, j), k.floats());
}

}  // namespace lmc
