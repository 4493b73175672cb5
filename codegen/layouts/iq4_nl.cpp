// iq4_nl.rows8 and iq4_nl.rows16: the places of a block's numbers as in nibbles.h; the numbers themselves,
// int8, are looked up by one vpshufb.
#include <llvm/IR/IntrinsicsX86.h>

#include "codegen/halves.h"
#include "codegen/layouts/nibbles.h"
#include "codegen/layouts/q8_0.h"
#include "codegen/layouts/quads.h"
#include "ir/block_formats/four_bit_grid.h"

namespace lmc::layouts::iq4_nl {
namespace {

constexpr int64_t kPlaces = 16;

// Instead of each of `places`, <n x i8> of 0 … 15, the byte of `grid` there, <n x i8> of the same 16 again
// and again; n: 16, 32 or 64.
llvm::Value* look_up(KernelBuilder& k, llvm::Value* grid, llvm::Value* places) {
  auto& b = k.ir();
  const int64_t n = lanes_of(places);
  if (n > k.target().float_lanes() * 4) {
    llvm::Value* half = low_half(b, grid);
    return joined(b, look_up(k, half, low_half(b, places)), look_up(k, half, high_half(b, places)));
  }
  const auto shuffle = n == 64   ? llvm::Intrinsic::x86_avx512_pshuf_b_512
                       : n == 32 ? llvm::Intrinsic::x86_avx2_pshuf_b
                                 : llvm::Intrinsic::x86_ssse3_pshuf_b_128;
  return b.CreateIntrinsic(shuffle, {}, {grid, places});
}

llvm::Value* grid(KernelBuilder& k, int64_t lanes) {
  std::vector<llvm::Constant*> out;
  for (int64_t i = 0; i < lanes; ++i)
    out.push_back(k.ir().getInt8(static_cast<uint8_t>(kFourBitGrid[i % kPlaces])));
  return llvm::ConstantVector::get(out);
}

class Iq4 : public Q8Blocks {
 public:
  explicit Iq4(int64_t rows) : Q8Blocks("iq4_nl", rows, Nibbles(rows).bytes()), nibbles_(rows) {}

  int64_t turns() const override { return 0; }
  ByUnit by_matrix_unit(const Target& target) const override {
    return target.unit_takes(group_rows()) ? ByUnit::brought : ByUnit::no;
  }
  llvm::Value* emit_unit_numbers(KernelBuilder& k, const GroupPlace& group, llvm::Value* block,
                                 llvm::Value* out) const override {
    llvm::Value* numbers = grid(k, quad_bytes());
    nibbles_.emit_ready(k, k.at(group.first, block_offset(k, block)), out,
                        [&](llvm::Value* places) { return look_up(k, numbers, places); });
    return out;
  }

 protected:
  void pack_numbers(const std::byte* numbers, int64_t row, std::byte* block) const override {
    nibbles_.pack(numbers, row, block);
  }
  int number(const std::byte* block, int64_t row, int64_t col) const override {
    return kFourBitGrid[nibbles_.unpack(block, row, col)];
  }

  bool gains_by_ready(const Target&) const override { return true; }
  void emit_ready_numbers(KernelBuilder& k, llvm::Value* block, llvm::Value* out) const override {
    llvm::Value* numbers = grid(k, quad_bytes());
    if (k.target().prepares_for_good()) numbers = k.target().prepare_int8(k.ir(), numbers).as_unsigned;
    nibbles_.emit_ready(k, block, out, [&](llvm::Value* places) { return look_up(k, numbers, places); });
  }

  // Prepared is the grid, once, not what is found in it.
  Dots emit_whole_dots(KernelBuilder& k, const Contraction& c, llvm::Value* block,
                       const std::vector<llvm::Value*>& blocks,
                       const Activations& activations) const override {
    if (c.ready) return Q8Blocks::emit_whole_dots(k, c, block, blocks, activations);
    auto& b = k.ir();
    const Target::Prepared numbers = k.target().prepare_int8(b, grid(k, quad_bytes()));
    const auto found = [&](llvm::Value* places) {
      return Target::Prepared{look_up(k, numbers.weights, places), look_up(k, numbers.as_unsigned, places)};
    };
    struct Quads {
      Target::Prepared first, second;
    };
    struct Pair {
      llvm::Value *first, *second;
    };
    Dots dots = start_dots(k, c, activations);
    for_quads(
        k, c, Nibbles::kRuns,
        [&](size_t i, llvm::Value* run) {
          const Nibbles::Halves places = nibbles_.load(k, k.at(blocks[i], k.mul(run, nibbles_.run_bytes())));
          return Quads{found(places.low), found(places.high)};
        },
        [&](size_t m, llvm::Value* run) {
          const auto repeated = [&](llvm::Value* quad) {
            return activations.repeated(c.x[m], quad, group_rows());
          };
          return Pair{repeated(run), repeated(k.add(run, k.i64(Nibbles::kRuns)))};
        },
        [&](size_t i, size_t m, const Quads& w, const Pair& x) {
          llvm::Value* sum = k.target().dot_int8(b, w.first, x.first, k.get(dots[i][m]));
          k.set(dots[i][m], k.target().dot_int8(b, w.second, x.second, sum));
        });
    read_dots(k, dots);
    return dots;
  }

  llvm::Value* emit_numbers(KernelBuilder& k, llvm::Value* block, llvm::Value* lane,
                            llvm::Value* j) const override {
    auto& b = k.ir();
    llvm::Value* places = nibbles_.emit_bytes(k, block, lane, j);
    llvm::Value* sixteen = joined(b, places, places);
    return b.CreateSIToFP(low_half(b, look_up(k, grid(k, kPlaces), sixteen)), k.floats());
  }

 private:
  Nibbles nibbles_;
};

const Iq4 kRows8(8);
const Iq4 kRows16(16);
const RegisterWeightLayout kLayout8(kRows8);
const RegisterWeightLayout kLayout16(kRows16);

}  // namespace
}  // namespace lmc::layouts::iq4_nl
