#include "codegen/layouts/planes.h"

#include <cstring>

namespace lmc {

llvm::Value* Planes::high(KernelBuilder& k, int64_t blocks, llvm::Value* group) const {
  auto& b = k.ir();
  llvm::Value* slab = b.CreateUDiv(group, k.i64(groups()));
  llvm::Value* in_slab = b.CreateURem(group, k.i64(groups()));
  return k.add(k.mul(slab, groups() * group_bytes(blocks)), k.mul(in_slab, blocks * high_bytes()));
}

llvm::Value* Planes::low(KernelBuilder& k, int64_t blocks, llvm::Value* group) const {
  auto& b = k.ir();
  llvm::Value* slab = b.CreateUDiv(group, k.i64(groups()));
  llvm::Value* in_slab = b.CreateURem(group, k.i64(groups()));
  llvm::Value* plane = k.add(k.mul(slab, groups() * group_bytes(blocks)), k.i64(low_offset(blocks, 0, 0)));
  return k.add(plane, k.mul(in_slab, blocks * low_bytes()));
}

void Planes::pack(const std::byte* rows, int64_t count, int64_t blocks, std::byte* slab) const {
  constexpr int64_t kStored = 2 + kQ8Block;
  constexpr std::byte kEight{0x80}, kHigh{0xF0}, kLow{0x0F};
  std::memset(slab, 0, static_cast<size_t>(groups() * group_bytes(blocks)));
  for (int64_t r = 0; r < count; ++r) {
    for (int64_t b = 0; b < blocks; ++b) {
      const std::byte* from = rows + (r * blocks + b) * kStored;
      std::byte high_halves[kQ8Block / 2], low_halves[kQ8Block / 2];
      for (int64_t c = 0; c < kQ8Block / 2; ++c) {
        const std::byte one = from[2 + c] ^ kEight, other = from[2 + kQ8Block / 2 + c] ^ kEight;
        high_halves[c] = one >> 4 | (other & kHigh);
        low_halves[c] = (one & kLow) | other << 4;
      }
      std::byte* const high = slab + high_offset(blocks, r, b);
      nibbles_.pack(high_halves, r % rows_, high);
      std::memcpy(high + low_bytes() + r % rows_ * 2, from, 2);
      nibbles_.pack(low_halves, r % rows_, slab + low_offset(blocks, r, b));
    }
  }
}

int Planes::high_at(const std::byte* slab, int64_t blocks, int64_t row, int64_t col) const {
  return nibbles_.unpack(slab + high_offset(blocks, row, col / kQ8Block), row % rows_, col % kQ8Block);
}

int Planes::low_at(const std::byte* slab, int64_t blocks, int64_t row, int64_t col) const {
  return nibbles_.unpack(slab + low_offset(blocks, row, col / kQ8Block), row % rows_, col % kQ8Block);
}

float Planes::scale(const std::byte* slab, int64_t blocks, int64_t row, int64_t col) const {
  uint16_t half;
  std::memcpy(&half, slab + high_offset(blocks, row, col / kQ8Block) + low_bytes() + row % rows_ * 2, 2);
  return f16_to_f32(half);
}

}  // namespace lmc
