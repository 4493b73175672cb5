#include "codegen/layouts/more_bits.h"

#include "codegen/layouts/quads.h"

namespace lmc {

void MoreBits::pack(const Numbers& q, int64_t row, std::byte* block) const {
  std::byte halves[kQ8Block / 2];
  for (size_t i = 0; i < kQ8Block / 2; ++i)
    halves[i] = static_cast<std::byte>((q[i] & 15) | (q[i + kQ8Block / 2] & 15) << 4);
  nibbles_.pack(halves, row, block);
  for (int64_t col = 0; col < kQ8Block; ++col) {
    const auto [run, shift] = upper(col / 4);
    std::byte& at = block[nibbles_.bytes() + run * nibbles_.run_bytes() + row * 4 + col % 4];
    at |= static_cast<std::byte>(q[static_cast<size_t>(col)] >> 4 << shift);
  }
}

int MoreBits::unpack(const std::byte* block, int64_t row, int64_t col) const {
  const auto [run, shift] = upper(col / 4);
  const int byte =
      std::to_integer<int>(block[nibbles_.bytes() + run * nibbles_.run_bytes() + row * 4 + col % 4]);
  const int mask = (1 << upper_) - 1;
  return nibbles_.unpack(block, row, col) | (byte >> shift & mask) << 4;
}

// Shifted as wholes of 16 bits, which are masked afterwards: there are no shifts of bytes.
MoreBits::Quads MoreBits::load(KernelBuilder& k, llvm::Value* block, llvm::Value* i) const {
  auto& b = k.ir();
  llvm::Type* bytes = run_type(k);
  llvm::Type* words = k.vector(b.getInt16Ty(), nibbles_.run_bytes() / 2);
  const auto all = [&](llvm::Type* type, uint64_t n) { return llvm::ConstantInt::get(type, n); };
  llvm::Value* upper_bits = k.at(block, nibbles_.bytes());
  llvm::Value* upper = nullptr;
  if (upper_ == 1) {
    llvm::Value* by = b.CreateTrunc(k.mul(i, 4), b.getInt16Ty());
    upper = b.CreateLShr(k.load(words, upper_bits),
                         b.CreateVectorSplat(static_cast<unsigned>(nibbles_.run_bytes() / 2), by));
  } else {
    upper = k.load(words, k.at(upper_bits, k.mul(i, nibbles_.run_bytes())));
  }
  llvm::Value* run = k.at(block, k.mul(i, 2 * nibbles_.run_bytes()));
  const Nibbles::Halves even = nibbles_.load(k, run);
  const Nibbles::Halves odd = nibbles_.load(k, k.at(run, nibbles_.run_bytes()));
  const auto joined = [&](llvm::Value* lower, int place) {
    const int up = 4 - place * upper_;  // to bit 4
    const auto by = static_cast<uint64_t>(up < 0 ? -up : up);
    llvm::Value* shifted = up < 0 ? b.CreateLShr(upper, all(words, by)) : b.CreateShl(upper, all(words, by));
    const uint64_t mask = upper_ == 1 ? 0x10 : 0x30;
    return b.CreateOr(lower, b.CreateAnd(b.CreateBitCast(shifted, bytes), all(bytes, mask)));
  };
  return {{joined(even.low, 0), joined(odd.low, 2)}, {joined(even.high, 1), joined(odd.high, 3)}};
}

MoreBits::Quads MoreBits::load_ready(KernelBuilder& k, llvm::Value* block, llvm::Value* i) const {
  llvm::Value* at = k.at(block, k.mul(i, 2 * nibbles_.run_bytes()));
  const auto quad = [&](int64_t n) { return k.load(run_type(k), k.at(at, n * nibbles_.run_bytes())); };
  return {{quad(0), quad(1)}, {quad(4), quad(5)}};
}

void MoreBits::emit_ready(KernelBuilder& k, llvm::Value* block, llvm::Value* out,
                          const Nibbles::Map& as) const {
  for (int64_t i = 0; i < 2; ++i) {
    const Quads quads = load(k, block, k.i64(i));
    const auto put = [&](llvm::Value* numbers, int64_t quad) {
      k.store(as ? as(numbers) : numbers, k.at(out, quad * nibbles_.run_bytes()));
    };
    put(quads.first.first, 2 * i);
    put(quads.first.second, 2 * i + 1);
    put(quads.second.first, 2 * i + 4);
    put(quads.second.second, 2 * i + 5);
  }
}

void MoreBits::emit_dots(KernelBuilder& k, const Contraction& c, const std::vector<llvm::Value*>& blocks,
                         const Activations& activations, const Sums& first, const Sums& second) const {
  const auto two = [&](size_t m, llvm::Value* i, int64_t from) {
    llvm::Value* quad = k.add(k.mul(i, 2), k.i64(from));
    return Target::TwoSteps{activations.repeated(c.x[m], quad, rows_),
                            activations.repeated(c.x[m], k.add(quad, k.i64(1)), rows_)};
  };
  const auto add = [&](llvm::Value* sum, const Target::TwoSteps& w, const Target::TwoSteps& x) {
    k.set(sum, k.target().dot_uint6(k.ir(), w, x, k.get(sum)));
  };
  if (!c.ready) {
    for_quads(
        k, c, 2, [&](size_t i, llvm::Value* n) { return load(k, blocks[i], n); },
        [&](size_t m, llvm::Value* n) {
          return Quads{two(m, n, 0), two(m, n, 4)};
        },
        [&](size_t i, size_t m, const Quads& w, const Quads& x) {
          add(first[i][m], w.first, x.first);
          add(second[i][m], w.second, x.second);
        });
    return;
  }
  // One half after the other, so that fewer numbers are in registers at a time.
  const auto half = [&](int64_t from, const Sums& sums) {
    for_quads(
        k, c, 2,
        [&](size_t i, llvm::Value* n) {
          const Quads quads = load_ready(k, blocks[i], n);
          return from == 0 ? quads.first : quads.second;
        },
        [&](size_t m, llvm::Value* n) { return two(m, n, from); },
        [&](size_t i, size_t m, const Target::TwoSteps& w, const Target::TwoSteps& x) {
          add(sums[i][m], w, x);
        });
  };
  half(0, first);
  half(4, second);
}

MoreBits::Sums MoreBits::emit_whole_dots(KernelBuilder& k, const Contraction& c,
                                         const std::vector<llvm::Value*>& blocks,
                                         const Activations& activations) const {
  llvm::Value* zero = llvm::Constant::getNullValue(k.vector(k.ir().getInt32Ty(), rows_));
  Sums sums(c.w.size());
  for (auto& row : sums) {
    for (size_t m = 0; m < c.x.size(); ++m) row.push_back(k.variable(zero));
  }
  emit_dots(k, c, blocks, activations, sums, sums);
  for (auto& row : sums) {
    for (llvm::Value*& sum : row) sum = k.get(sum);
  }
  return sums;
}

// Two quads of a row: the columns of one are 4 behind those of the other.
llvm::Value* MoreBits::emit_bytes(KernelBuilder& k, llvm::Value* block, llvm::Value* lane,
                                  llvm::Value* j) const {
  auto& b = k.ir();
  llvm::Type* i8x4 = llvm::FixedVectorType::get(b.getInt8Ty(), 4);
  llvm::Value* in_half = b.CreateLShr(b.CreateAnd(j, k.i64(8)), 3);  // 0 or 1: columns 0 … or 8 … of a half
  llvm::Value* which = b.CreateLShr(b.CreateAnd(j, k.i64(16)), 4);  // half
  llvm::Value* run = upper_ == 1 ? k.i64(0) : in_half;
  llvm::Value* from = k.at(block, k.add(k.i64(nibbles_.bytes()), k.mul(run, nibbles_.run_bytes())));
  llvm::Value* four = k.load(i8x4, k.at(from, k.mul(lane, 4)));
  llvm::Value* place = upper_ == 1 ? k.add(k.mul(in_half, 4), which) : which;
  const auto bits = [&](int64_t behind) {
    llvm::Value* shift = b.CreateTrunc(k.mul(k.add(place, k.i64(behind)), upper_), b.getInt8Ty());
    return b.CreateLShr(four, b.CreateVectorSplat(4, shift));
  };
  llvm::Value* upper = b.CreateShuffleVector(bits(0), bits(2), {0, 1, 2, 3, 4, 5, 6, 7});
  llvm::Type* type = upper->getType();
  upper = b.CreateAnd(upper, llvm::ConstantInt::get(type, (1U << upper_) - 1));
  return b.CreateOr(nibbles_.emit_bytes(k, block, lane, j),
                    b.CreateShl(upper, llvm::ConstantInt::get(type, 4)));
}

llvm::Value* MoreBits::emit_row(KernelBuilder& k, llvm::Value* block, llvm::Value* lane,
                                llvm::Value* j) const {
  return k.ir().CreateUIToFP(emit_bytes(k, block, lane, j), k.floats());
}

}  // namespace lmc
