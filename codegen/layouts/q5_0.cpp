// q5_0.rows8 and q5_0.rows16: the numbers of a block as in more_bits.h, each 16 too large.
#include <cstring>

#include "codegen/layouts/more_bits.h"
#include "codegen/layouts/scaled_blocks.h"

namespace lmc::layouts::q5_0 {
namespace {

class Q5 : public ScaledBlocks {
 public:
  explicit Q5(int64_t rows) : ScaledBlocks("q5_0", rows, MoreBits(rows, 5).bytes()), bits_(rows, 5) {}

  ByUnit by_matrix_unit(const Target& target) const override {
    return target.unit_takes(group_rows()) ? ByUnit::brought : ByUnit::no;
  }
  // A byte for each number, less 16.
  llvm::Value* emit_unit_numbers(KernelBuilder& k, const GroupPlace& group, llvm::Value* block,
                                 llvm::Value* out) const override {
    bits_.emit_ready(k, k.at(group.first, block_offset(k, block)), out, [&](llvm::Value* numbers) {
      return k.ir().CreateSub(numbers, llvm::ConstantInt::get(numbers->getType(), 16));
    });
    return out;
  }

 protected:
  // Four bytes of fifth bits, then the lower four of columns i and 16 + i.
  void pack_numbers(const std::byte* numbers, int64_t row, std::byte* block) const override {
    uint32_t fifths;
    std::memcpy(&fifths, numbers, 4);
    MoreBits::Numbers q;
    for (size_t i = 0; i < q.size(); ++i) {
      const int both = std::to_integer<int>(numbers[4 + i % 16]);
      q[i] = static_cast<uint8_t>((i < 16 ? both & 15 : both >> 4) | static_cast<int>(fifths >> i & 1) << 4);
    }
    bits_.pack(q, row, block);
  }
  int number(const std::byte* block, int64_t row, int64_t col) const override {
    return bits_.unpack(block, row, col) - 16;
  }

  bool gains_by_ready(const Target&) const override { return true; }
  void emit_ready_numbers(KernelBuilder& k, llvm::Value* block, llvm::Value* out) const override {
    bits_.emit_ready(k, block, out);
  }

  // sum((q - 16) x) = sum(q x) - 16 sum(x)
  Dots emit_whole_dots(KernelBuilder& k, const Contraction& c, llvm::Value*,
                       const std::vector<llvm::Value*>& blocks,
                       const Activations& activations) const override {
    auto& b = k.ir();
    Dots dots = bits_.emit_whole_dots(k, c, blocks, activations);
    for (auto& row : dots) {
      for (size_t m = 0; m < row.size(); ++m) {
        llvm::Value* sixteens = b.CreateShl(activations.sum(c.x[m]), uint64_t{4});
        row[m] = b.CreateSub(row[m], k.splat(sixteens, group_rows()));
      }
    }
    return dots;
  }

  llvm::Value* emit_numbers(KernelBuilder& k, llvm::Value* block, llvm::Value* lane,
                            llvm::Value* j) const override {
    return k.ir().CreateFSub(bits_.emit_row(k, block, lane, j), k.splat(16.0));
  }

 private:
  MoreBits bits_;
};

const Q5 kRows8(8);
const Q5 kRows16(16);
const RegisterWeightLayout kLayout8(kRows8);
const RegisterWeightLayout kLayout16(kRows16);

}  // namespace
}  // namespace lmc::layouts::q5_0
