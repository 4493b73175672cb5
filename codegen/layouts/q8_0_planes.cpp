// q8_0.planes8 and .planes16: the numbers of Q8_0 in two planes (planes.h), which kernels join as they read:
// whoever wants to guess what a step will say reads the first alone (q8_0_high.h).
#include "codegen/layouts/planes.h"
#include "codegen/layouts/q8_0.h"
#include "codegen/layouts/q8_0_high.h"
#include "codegen/layouts/quads.h"

namespace lmc::layouts::q8_0_planes {
namespace {

class Q8Planes : public Q8Blocks {
 public:
  explicit Q8Planes(const HighPlane& high)
      : Q8Blocks("q8_0", high.group_rows(), Planes(high.group_rows()).low_bytes()),
        high_(high),
        planes_(high.group_rows()) {}

  std::string name() const override { return "q8_0.planes" + std::to_string(group_rows()); }
  Kind kind() const override { return Kind::in_planes; }
  const WeightLayout* high_plane() const override { return &high_; }
  int64_t group_bytes(int64_t cols) const override { return planes_.group_bytes(blocks(cols)); }
  int64_t slab_groups() const override { return planes_.groups(); }
  void pack_slab(const std::byte* rows, int64_t count, int64_t cols, std::byte* out) const override {
    planes_.pack(rows, count, blocks(cols), out);
  }
  float element(const std::byte* slab, int64_t cols, int64_t row, int64_t col) const override {
    const int high = planes_.high_at(slab, blocks(cols), row, col) - 8;
    const int number = 16 * high + planes_.low_at(slab, blocks(cols), row, col);
    return static_cast<float>(number) * planes_.scale(slab, blocks(cols), row, col);
  }
  std::vector<Run> runs(int64_t cols) const override {
    return {{blocks(cols) * planes_.high_bytes(), planes_.high_bytes()},
            {blocks(cols) * planes_.low_bytes(), planes_.low_bytes()}};
  }
  llvm::Value* run_offset(KernelBuilder& k, int64_t cols, llvm::Value* number, size_t run) const override {
    return run == 0 ? planes_.high(k, blocks(cols), number) : planes_.low(k, blocks(cols), number);
  }

  void emit_ready(KernelBuilder& k, const GroupPlace& group, llvm::Value* block,
                  llvm::Value* out) const override {
    store_quads(k, group, block, out, [&](llvm::Value* quad) {
      if (!k.target().prepares_for_good()) return quad;
      return k.target().prepare_int8(k.ir(), quad).as_unsigned;
    });
    k.store(group_scales(k, k.at(group.first, block_offset(k, block))), k.at(out, ready_numbers()), 4);
  }

  int64_t turns() const override { return 0; }
  ByUnit by_matrix_unit(const Target& target) const override {
    return target.unit_takes(group_rows()) ? ByUnit::brought : ByUnit::no;
  }
  llvm::Value* emit_unit_numbers(KernelBuilder& k, const GroupPlace& group, llvm::Value* block,
                                 llvm::Value* out) const override {
    store_quads(k, group, block, out, [](llvm::Value* quad) { return quad; });
    return out;
  }

  llvm::Value* emit_row(KernelBuilder& k, llvm::Value* slab, llvm::Value* row, int64_t cols,
                        llvm::Value* j) const override {
    auto& b = k.ir();
    llvm::Value* rows = k.i64(group_rows());
    llvm::Value* group = b.CreateUDiv(row, rows);
    llvm::Value* lane = b.CreateURem(row, rows);
    llvm::Value* block = b.CreateLShr(j, 5);
    llvm::Value* high = k.at(slab, k.add(planes_.high(k, blocks(cols), group), block_offset(k, block)));
    llvm::Value* low =
        k.at(slab, k.add(planes_.low(k, blocks(cols), group), k.mul(block, planes_.low_bytes())));
    llvm::Value* scale =
        k.load(b.getHalfTy(), k.at(high, k.add(k.i64(planes_.low_bytes()), k.mul(lane, 2))), 2);
    const Nibbles& nibbles = planes_.nibbles();
    llvm::Value* of_high = b.CreateFSub(nibbles.emit_row(k, high, lane, j), k.splat(8.0));
    llvm::Value* numbers =
        b.CreateFAdd(b.CreateFMul(of_high, k.splat(16.0)), nibbles.emit_row(k, low, lane, j));
    return b.CreateFMul(numbers, k.splat(b.CreateFPExt(scale, b.getFloatTy())));
  }

 protected:
  bool gains_by_ready(const Target&) const override { return true; }

  Dots emit_whole_dots(KernelBuilder& k, const Contraction& c, llvm::Value* block,
                       const std::vector<llvm::Value*>& at, const Activations& activations) const override {
    if (c.ready) return Q8Blocks::emit_whole_dots(k, c, block, at, activations);
    auto& b = k.ir();
    Dots dots = start_dots(k, c, activations);
    struct Prepared {
      Target::Prepared first, second;
    };
    for_quads(
        k, c, kQuads / 2,
        [&](size_t i, llvm::Value* run) {
          const Quads quads = load(k, c.w[i], block, run);
          return Prepared{k.target().prepare_int8(b, quads.first), k.target().prepare_int8(b, quads.second)};
        },
        [&](size_t m, llvm::Value* run) {
          llvm::Value* second = k.add(run, k.i64(kQuads / 2));
          return Quads{activations.repeated(c.x[m], run, group_rows()),
                       activations.repeated(c.x[m], second, group_rows())};
        },
        [&](size_t i, size_t m, const Prepared& w, const Quads& x) {
          llvm::Value* sum = k.target().dot_int8(b, w.first, x.first, k.get(dots[i][m]));
          k.set(dots[i][m], k.target().dot_int8(b, w.second, x.second, sum));
        });
    read_dots(k, dots);
    return dots;
  }

 private:
  // Quads i and i + 4 of a block, int8: run i of both planes.
  struct Quads {
    llvm::Value *first, *second;
  };
  Quads load(KernelBuilder& k, const GroupPlace& group, llvm::Value* block, llvm::Value* run) const {
    auto& b = k.ir();
    llvm::Type* type = quad_type(k);
    const auto all = [&](uint8_t byte) { return llvm::ConstantInt::get(type, byte); };
    llvm::Value* offset = k.mul(run, quad_bytes());
    llvm::Value* high = k.load(type, k.at(group.first, k.add(block_offset(k, block), offset)));
    llvm::Value* low = k.load(type, k.at(group.second, k.add(k.mul(block, planes_.low_bytes()), offset)));
    llvm::Value* first = b.CreateOr(b.CreateShl(high, all(4)), b.CreateAnd(low, all(0x0F)));
    llvm::Value* second = b.CreateOr(b.CreateAnd(high, all(0xF0)), b.CreateLShr(low, all(4)));
    return {b.CreateXor(first, all(0x80)), b.CreateXor(second, all(0x80))};
  }

  template <class Form>
  void store_quads(KernelBuilder& k, const GroupPlace& group, llvm::Value* block, llvm::Value* out,
                   const Form& form) const {
    for (int64_t run = 0; run < kQuads / 2; ++run) {
      const Quads quads = load(k, group, block, k.i64(run));
      k.store(form(quads.first), k.at(out, run * quad_bytes()));
      k.store(form(quads.second), k.at(out, (run + kQuads / 2) * quad_bytes()));
    }
  }

  const HighPlane& high_;
  Planes planes_;
};

const HighPlane kHigh8(8), kHigh16(16);
const Q8Planes kPlanes8(kHigh8), kPlanes16(kHigh16);
const RegisterWeightLayout kLayouts[] = {RegisterWeightLayout(kHigh8), RegisterWeightLayout(kHigh16),
                                         RegisterWeightLayout(kPlanes8), RegisterWeightLayout(kPlanes16)};

}  // namespace
}  // namespace lmc::layouts::q8_0_planes
