// How kernels read t4: 8 rows' halves of bytes side by side, each number 8 too large.
#include "codegen/layouts/nibbles.h"
#include "codegen/layouts/scaled_blocks.h"

namespace lmc {
namespace {

using llvm::Value;

class T4 : public ScaledBlocks {
 public:
  T4() : ScaledBlocks("t4", 8, Nibbles(8).bytes()) {}

 protected:
  void pack_numbers(const std::byte* numbers, int64_t row, std::byte* block) const override {
    nibbles_.pack(numbers, row, block);
  }
  int number(const std::byte* block, int64_t row, int64_t col) const override {
    return nibbles_.unpack(block, row, col) - 8;
  }
  Dots emit_whole_dots(KernelBuilder& k, const Contraction& c, Value*, const std::vector<Value*>& blocks,
                       const Activations& activations) const override {
    auto& b = k.ir();
    Dots dots = nibbles_.emit_dots(k, c, blocks, activations);
    for (auto& row : dots) {
      for (size_t m = 0; m < row.size(); ++m) {
        Value* eights = b.CreateShl(activations.sum(c.x[m]), uint64_t{3});
        row[m] = b.CreateSub(row[m], b.CreateVectorSplat(kLanes, eights));
      }
    }
    return dots;
  }
  Value* emit_numbers(KernelBuilder& k, Value* block, Value* lane, Value* j) const override {
    return k.ir().CreateFSub(nibbles_.emit_row(k, block, lane, j), k.splat(8.0));
  }

 private:
  Nibbles nibbles_{8};
};

const T4 kT4;
const RegisterWeightLayout kLayout(kT4);

}  // namespace
}  // namespace lmc
