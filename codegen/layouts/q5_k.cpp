// q5_k.rows8 and q5_k.rows16: the numbers of a block as in more_bits.h.
#include "codegen/layouts/blocks_with_minima.h"
#include "codegen/layouts/more_bits.h"

namespace lmc::layouts::q5_k {
namespace {

class Q5K : public BlocksWithMinima {
 public:
  explicit Q5K(int64_t rows) : BlocksWithMinima("q5_k", 5, rows, MoreBits(rows, 5).bytes()), bits_(rows, 5) {}

 protected:
  void pack_numbers(const Numbers& q, int64_t row, std::byte* block) const override {
    bits_.pack(q, row, block);
  }
  int number(const std::byte* block, int64_t row, int64_t col) const override {
    return bits_.unpack(block, row, col);
  }
  void emit_ready_numbers(KernelBuilder& k, llvm::Value* block, llvm::Value* out) const override {
    bits_.emit_ready(k, block, out);
  }
  Dots emit_whole_dots(KernelBuilder& k, const Contraction& c, const std::vector<llvm::Value*>& blocks,
                       const Activations& activations) const override {
    return bits_.emit_whole_dots(k, c, blocks, activations);
  }
  llvm::Value* emit_numbers(KernelBuilder& k, llvm::Value* block, llvm::Value* lane,
                            llvm::Value* j) const override {
    return bits_.emit_row(k, block, lane, j);
  }

 private:
  MoreBits bits_;
};

const Q5K kRows8(8);
const Q5K kRows16(16);
const RegisterWeightLayout kLayout8(kRows8);
const RegisterWeightLayout kLayout16(kRows16);

}  // namespace
}  // namespace lmc::layouts::q5_k
