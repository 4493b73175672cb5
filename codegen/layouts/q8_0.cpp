#include "codegen/layouts/q8_0.h"

#include "codegen/layouts/quads.h"

namespace lmc {
namespace {

const Q8Blocks kRows8(8, WeightLayout::Kind::usual);
const Q8Blocks kUnsigned8(8, WeightLayout::Kind::of_unsigned);
const RegisterWeightLayout kLayouts[] = {RegisterWeightLayout(kRows8), RegisterWeightLayout(kUnsigned8)};

}  // namespace

Q8Blocks::Q8Blocks(int64_t rows, Kind kind) : Q8Blocks("q8_0", rows, kQuads * rows * 4) { kind_ = kind; }

std::string Q8Blocks::name() const {
  return of_unsigned() ? "q8_0.unsigned" + std::to_string(group_rows()) : ScaledBlocks::name();
}

void Q8Blocks::pack_numbers(const std::byte* numbers, int64_t row, std::byte* block) const {
  for (int64_t quad = 0; quad < kQuads; ++quad) {
    for (int64_t i = 0; i < 4; ++i) block[quad * quad_bytes() + row * 4 + i] = kept(numbers[quad * 4 + i]);
  }
}

int Q8Blocks::number(const std::byte* block, int64_t row, int64_t col) const {
  return static_cast<int8_t>(kept(block[col / 4 * quad_bytes() + row * 4 + col % 4]));
}

llvm::Value* Q8Blocks::as_int8(KernelBuilder& k, llvm::Value* numbers) const {
  if (!of_unsigned()) return numbers;
  return k.ir().CreateXor(numbers, llvm::ConstantInt::get(numbers->getType(), 0x80));
}

void Q8Blocks::emit_ready_numbers(KernelBuilder& k, llvm::Value* block, llvm::Value* out) const {
  for (int64_t quad = 0; quad < kQuads; ++quad) {
    llvm::Value* numbers = k.load(quad_type(k), k.at(block, quad * quad_bytes()));
    k.store(k.target().prepare_int8(k.ir(), numbers).as_unsigned, k.at(out, quad * quad_bytes()));
  }
}

Q8Blocks::Dots Q8Blocks::start_dots(KernelBuilder& k, const Contraction& c,
                                    const Activations& activations) const {
  Dots dots(c.w.size());
  for (auto& row : dots) {
    for (llvm::Value* x : c.x) {
      llvm::Value* sum = k.target().wants_block_sums() ? activations.sum(x) : nullptr;
      row.push_back(k.variable(k.target().start_int8(k.ir(), sum, group_rows())));
    }
  }
  return dots;
}

void Q8Blocks::read_dots(KernelBuilder& k, Dots& dots) {
  for (auto& row : dots) {
    for (llvm::Value*& dot : row) dot = k.get(dot);
  }
}

// Ready quads, and those kept as u8, are what products read where the target prepares them for good, and else
// int8.
Q8Blocks::Dots Q8Blocks::emit_whole_dots(KernelBuilder& k, const Contraction& c, llvm::Value*,
                                         const std::vector<llvm::Value*>& blocks,
                                         const Activations& activations) const {
  auto& b = k.ir();
  const bool prepared = (c.ready || of_unsigned()) && k.target().prepares_for_good();
  Dots dots = start_dots(k, c, activations);
  for_quads(
      k, c, kQuads,
      [&](size_t i, llvm::Value* quad) {
        llvm::Value* numbers = k.load(quad_type(k), k.at(blocks[i], k.mul(quad, quad_bytes())));
        return prepared ? Target::Prepared{nullptr, numbers}
                        : k.target().prepare_int8(b, as_int8(k, numbers));
      },
      [&](size_t m, llvm::Value* quad) { return activations.repeated(c.x[m], quad, group_rows()); },
      [&](size_t i, size_t m, const Target::Prepared& w, llvm::Value* x) {
        k.set(dots[i][m], k.target().dot_int8(b, w, x, k.get(dots[i][m])));
      });
  read_dots(k, dots);
  return dots;
}

llvm::Value* Q8Blocks::emit_numbers(KernelBuilder& k, llvm::Value* block, llvm::Value* lane,
                                    llvm::Value* j) const {
  auto& b = k.ir();
  llvm::Value* quad = b.CreateLShr(b.CreateAnd(j, k.i64(31)), 2);
  llvm::Type* i8x4 = k.vector(b.getInt8Ty(), 4);
  llvm::Value* bytes = k.at(block, k.add(k.mul(quad, quad_bytes()), k.mul(lane, 4)));
  llvm::Value* low = k.load(i8x4, bytes);
  llvm::Value* high = k.load(i8x4, k.at(bytes, quad_bytes()));
  llvm::Value* numbers = b.CreateShuffleVector(low, high, {0, 1, 2, 3, 4, 5, 6, 7});
  return b.CreateSIToFP(as_int8(k, numbers), k.floats());
}

}  // namespace lmc
