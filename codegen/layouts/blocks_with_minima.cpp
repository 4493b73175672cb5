#include "codegen/layouts/blocks_with_minima.h"

#include <algorithm>
#include <cstring>

#include "codegen/kernels/builder.h"
#include "codegen/layouts/unit_dots.h"
#include "ir/block_format.h"

namespace lmc {
namespace {

constexpr auto kParts = static_cast<int64_t>(BlockWithMinima::kParts);

int64_t parts_of(int64_t cols) { return (cols + kQ8Block - 1) / kQ8Block; }
int64_t supers_of(int64_t cols) { return (parts_of(cols) + kParts - 1) / kParts; }

}  // namespace

DType BlocksWithMinima::dtype() const { return *dtype_from_name(format_); }

int64_t BlocksWithMinima::group_bytes(int64_t cols) const {
  return supers_of(cols) * head_bytes() + parts_of(cols) * block_bytes();
}

int64_t BlocksWithMinima::super_bytes() const { return head_bytes() + kParts * block_bytes(); }

void BlocksWithMinima::pack_slab(const std::byte* rows, int64_t count, int64_t cols, std::byte* out) const {
  const BlockFormat& format = block_format(dtype());
  std::memset(out, 0, static_cast<size_t>(group_bytes(cols)));
  for (int64_t r = 0; r < count; ++r) {
    for (int64_t s = 0; s < supers_of(cols); ++s) {
      const auto from = BlockWithMinima::load(rows + r * format.row_bytes(cols) + s * format.bytes, bits_);
      std::byte* to = out + s * super_bytes();
      std::memcpy(to + r * 2, &from.d, 2);
      std::memcpy(to + rows_ * 2 + r * 2, &from.dmin, 2);
      const int64_t parts = std::min(kParts, parts_of(cols) - s * kParts);
      for (int64_t p = 0; p < parts; ++p) {
        const auto part = static_cast<size_t>(p);
        std::byte* block = to + head_bytes() + p * block_bytes();
        pack_numbers(from.q[part], r, block);
        block[scale_offset() + r] = static_cast<std::byte>(from.scale[part]);
        block[min_offset() + r] = static_cast<std::byte>(from.min[part]);
      }
    }
  }
}

float BlocksWithMinima::element(const std::byte* group, int64_t, int64_t row, int64_t col) const {
  const std::byte* super = group + col / 256 * super_bytes();
  const std::byte* block = super + head_bytes() + col % 256 / kQ8Block * block_bytes();
  uint16_t d;
  uint16_t dmin;
  std::memcpy(&d, super + row * 2, 2);
  std::memcpy(&dmin, super + rows_ * 2 + row * 2, 2);
  const float scale = f16_to_f32(d) * static_cast<float>(std::to_integer<int>(block[scale_offset() + row]));
  const float min = f16_to_f32(dmin) * static_cast<float>(std::to_integer<int>(block[min_offset() + row]));
  return scale * static_cast<float>(number(block, row, col % kQ8Block)) - min;
}

llvm::Value* BlocksWithMinima::run_offset(KernelBuilder& k, int64_t cols, llvm::Value* number, size_t) const {
  return k.mul(number, group_bytes(cols));
}

llvm::Value* BlocksWithMinima::block_offset(KernelBuilder& k, llvm::Value* block) const {
  return k.add(k.i64(head_bytes()), k.add(super_offset(k, block), part_offset(k, block)));
}

void BlocksWithMinima::emit_block(KernelBuilder& k, const Contraction& c, llvm::Value* block, int64_t) const {
  const Activations activations(k, c.cols, block);
  llvm::Value* offset = c.ready ? nullptr : block_offset(k, block);
  std::vector<llvm::Value*> p;
  for (const GroupPlace& group : c.w) p.push_back(c.ready ? group.first : k.at(group.first, offset));
  const Dots dots = emit_whole_dots(k, c, p, activations);
  for (size_t i = 0; i < c.w.size(); ++i) {
    const Factors f = c.ready ? ready_factors(k, p[i]) : factors(k, c.w[i].first, block);
    for (size_t m = 0; m < c.x.size(); ++m) add(k, c.sums[i][m], dots[i][m], f, activations, c.x[m]);
  }
}

void BlocksWithMinima::emit_block_by_unit(KernelBuilder& k, const UnitContraction& c,
                                          llvm::Value* block) const {
  const Activations activations(k, c.cols, block);
  std::vector<Factors> of_groups;
  for (const GroupPlace& group : c.w) of_groups.push_back(factors(k, group.first, block));
  for_unit_dots(k, c, [&](llvm::Value* x, const std::vector<UnitDots>& groups) {
    for (size_t i = 0; i < groups.size(); ++i)
      add(k, groups[i].sum, groups[i].dots, of_groups[i], activations, x);
  });
}

// *sum += x_scale * (d scale sum(q x) - dmin min sum(x)), for the row at `x`.
void BlocksWithMinima::add(KernelBuilder& k, llvm::Value* sum, llvm::Value* dots, const Factors& of_weights,
                           const Activations& activations, llvm::Value* x) const {
  auto& b = k.ir();
  llvm::Value* of_x = k.splat(b.CreateSIToFP(activations.sum(x), b.getFloatTy()), rows_);
  llvm::Value* products = b.CreateSIToFP(dots, of_x->getType());
  llvm::Value* of_block = k.fma(of_weights.scale, products, b.CreateFMul(of_weights.min, of_x));
  k.add_product(sum, of_block, k.splat(activations.scale(x), rows_));
}

llvm::Value* BlocksWithMinima::emit_unit_numbers(KernelBuilder& k, const GroupPlace& group,
                                                 llvm::Value* block, llvm::Value* out) const {
  emit_ready_numbers(k, k.at(group.first, block_offset(k, block)), out);
  return out;
}

// A byte for each number, then the factors in f32.
void BlocksWithMinima::emit_ready(KernelBuilder& k, const GroupPlace& group, llvm::Value* block,
                                  llvm::Value* out) const {
  emit_ready_numbers(k, k.at(group.first, block_offset(k, block)), out);
  const Factors f = factors(k, group.first, block);
  k.store(f.scale, k.at(out, ready_numbers()), 4);
  k.store(f.min, k.at(out, ready_numbers() + rows_ * 4), 4);
}

llvm::Value* BlocksWithMinima::emit_row(KernelBuilder& k, llvm::Value* group, llvm::Value* lane, int64_t,
                                        llvm::Value* j) const {
  auto& b = k.ir();
  llvm::Value* number = b.CreateLShr(j, 5);
  llvm::Value* super = k.at(group, super_offset(k, number));
  llvm::Value* block = k.at(group, block_offset(k, number));
  const auto half = [&](int64_t offset) {
    llvm::Value* h = k.load(b.getHalfTy(), k.at(super, k.add(k.i64(offset), k.mul(lane, 2))), 2);
    return b.CreateFPExt(h, b.getFloatTy());
  };
  const auto byte = [&](int64_t offset) {
    return b.CreateUIToFP(k.load(b.getInt8Ty(), k.at(block, k.add(k.i64(offset), lane))), b.getFloatTy());
  };
  llvm::Value* scale = b.CreateFMul(half(0), byte(scale_offset()));
  llvm::Value* min = b.CreateFMul(half(rows_ * 2), byte(min_offset()));
  return b.CreateFSub(b.CreateFMul(emit_numbers(k, block, lane, j), k.splat(scale)), k.splat(min));
}

BlocksWithMinima::Factors BlocksWithMinima::factors(KernelBuilder& k, llvm::Value* group,
                                                    llvm::Value* block) const {
  auto& b = k.ir();
  llvm::Type* halves = k.vector(b.getHalfTy(), rows_);
  llvm::Value* head = k.at(group, super_offset(k, block));
  llvm::Value* part = k.at(group, block_offset(k, block));
  llvm::Value* d = k.widen(k.load(halves, head, 2));
  llvm::Value* dmin = k.widen(k.load(halves, k.at(head, rows_ * 2), 2));
  return {b.CreateFMul(d, bytes(k, k.at(part, scale_offset()))),
          b.CreateFNeg(b.CreateFMul(dmin, bytes(k, k.at(part, min_offset()))))};
}

BlocksWithMinima::Factors BlocksWithMinima::ready_factors(KernelBuilder& k, llvm::Value* block) const {
  llvm::Type* floats = k.vector(k.ir().getFloatTy(), rows_);
  return {k.load(floats, k.at(block, ready_numbers()), 4),
          k.load(floats, k.at(block, ready_numbers() + rows_ * 4), 4)};
}

// One of each row as f32.
llvm::Value* BlocksWithMinima::bytes(KernelBuilder& k, llvm::Value* address) const {
  auto& b = k.ir();
  return b.CreateUIToFP(k.load(k.vector(b.getInt8Ty(), rows_), address), k.vector(b.getFloatTy(), rows_));
}

llvm::Value* BlocksWithMinima::super_offset(KernelBuilder& k, llvm::Value* block) const {
  return k.mul(k.ir().CreateUDiv(block, k.i64(kParts)), super_bytes());
}

llvm::Value* BlocksWithMinima::part_offset(KernelBuilder& k, llvm::Value* block) const {
  return k.mul(k.ir().CreateURem(block, k.i64(kParts)), block_bytes());
}

}  // namespace lmc
