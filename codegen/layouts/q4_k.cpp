// q4_k.rows8 and q4_k.rows16: the numbers of a block as in nibbles.h.
#include "codegen/layouts/blocks_with_minima.h"
#include "codegen/layouts/nibbles.h"

namespace lmc::layouts::q4_k {
namespace {

class Q4K : public BlocksWithMinima {
 public:
  explicit Q4K(int64_t rows) : BlocksWithMinima("q4_k", 4, rows, Nibbles(rows).bytes()), nibbles_(rows) {}

 protected:
  void pack_numbers(const Numbers& q, int64_t row, std::byte* block) const override {
    std::byte halves[kQ8Block / 2];
    for (size_t i = 0; i < kQ8Block / 2; ++i)
      halves[i] = static_cast<std::byte>(q[i] | q[i + kQ8Block / 2] << 4);
    nibbles_.pack(halves, row, block);
  }
  int number(const std::byte* block, int64_t row, int64_t col) const override {
    return nibbles_.unpack(block, row, col);
  }
  void emit_ready_numbers(KernelBuilder& k, llvm::Value* block, llvm::Value* out) const override {
    nibbles_.emit_ready(k, block, out);
  }
  Dots emit_whole_dots(KernelBuilder& k, const Contraction& c, const std::vector<llvm::Value*>& blocks,
                       const Activations& activations) const override {
    return nibbles_.emit_dots(k, c, blocks, activations);
  }
  llvm::Value* emit_numbers(KernelBuilder& k, llvm::Value* block, llvm::Value* lane,
                            llvm::Value* j) const override {
    return nibbles_.emit_row(k, block, lane, j);
  }

 private:
  Nibbles nibbles_;
};

const Q4K kRows8(8);
const Q4K kRows16(16);
const RegisterWeightLayout kLayout8(kRows8);
const RegisterWeightLayout kLayout16(kRows16);

}  // namespace
}  // namespace lmc::layouts::q4_k
