// q4_0.rows8 and q4_0.rows16: the numbers of a block as in nibbles.h, each 8 too large.
#include "codegen/layouts/nibbles.h"
#include "codegen/layouts/scaled_blocks.h"

namespace lmc::layouts::q4_0 {
namespace {

class Q4 : public ScaledBlocks {
 public:
  explicit Q4(int64_t rows) : ScaledBlocks("q4_0", rows, Nibbles(rows).bytes()), nibbles_(rows) {}

  ByUnit by_matrix_unit(const Target& target) const override {
    return target.unit_takes(group_rows()) ? ByUnit::brought : ByUnit::no;
  }
  // A byte for each number, less 8.
  llvm::Value* emit_unit_numbers(KernelBuilder& k, const GroupPlace& group, llvm::Value* block,
                                 llvm::Value* out) const override {
    nibbles_.emit_ready(k, k.at(group.first, block_offset(k, block)), out, [&](llvm::Value* numbers) {
      return k.ir().CreateSub(numbers, llvm::ConstantInt::get(numbers->getType(), 8));
    });
    return out;
  }

 protected:
  void pack_numbers(const std::byte* numbers, int64_t row, std::byte* block) const override {
    nibbles_.pack(numbers, row, block);
  }
  int number(const std::byte* block, int64_t row, int64_t col) const override {
    return nibbles_.unpack(block, row, col) - 8;
  }

  bool gains_by_ready(const Target&) const override { return true; }
  void emit_ready_numbers(KernelBuilder& k, llvm::Value* block, llvm::Value* out) const override {
    nibbles_.emit_ready(k, block, out);
  }

  // sum((q - 8) x) = sum(q x) - 8 sum(x)
  Dots emit_whole_dots(KernelBuilder& k, const Contraction& c, llvm::Value*,
                       const std::vector<llvm::Value*>& blocks,
                       const Activations& activations) const override {
    auto& b = k.ir();
    Dots dots = nibbles_.emit_dots(k, c, blocks, activations);
    for (auto& row : dots) {
      for (size_t m = 0; m < row.size(); ++m) {
        llvm::Value* eights = b.CreateShl(activations.sum(c.x[m]), uint64_t{3});
        row[m] = b.CreateSub(row[m], k.splat(eights, group_rows()));
      }
    }
    return dots;
  }

  llvm::Value* emit_numbers(KernelBuilder& k, llvm::Value* block, llvm::Value* lane,
                            llvm::Value* j) const override {
    return k.ir().CreateFSub(nibbles_.emit_row(k, block, lane, j), k.splat(8.0));
  }

 private:
  Nibbles nibbles_;
};

const Q4 kRows8(8);
const Q4 kRows16(16);
const RegisterWeightLayout kLayout8(kRows8);
const RegisterWeightLayout kLayout16(kRows16);

}  // namespace
}  // namespace lmc::layouts::q4_0
