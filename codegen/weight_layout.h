// Layouts of weight matrices for the linear kernels: rows in groups, side by side, so that the rows' products
// are the lanes of vectors and k runs in order. A layout says how many rows a group has, how numbers are
// packed, and emits the inner loops that read them; adding one is one file under layouts/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ir/type.h"

namespace llvm {
class Value;
}

namespace lmc {

class KernelBuilder;
class Target;

// Where the runs of a group of weight rows begin (WeightLayout::runs).
struct GroupPlace {
  llvm::Value* first;
  llvm::Value* second = nullptr;  // null: there is only one
};

// Groups of weight rows against rows of activations, products in registers at once.
struct Contraction {
  std::vector<GroupPlace> w;    // groups of weight rows
  std::vector<llvm::Value*> x;  // addresses of activation rows
  // Where the sums are, <group_rows() x f32>, by group and activation row: variables, or memory.
  std::vector<std::vector<llvm::Value*>> sums;
  int64_t cols = 0;
  // Where the layout has turns(): called in each of them, i64 from 0 on, for what may be done meanwhile.
  std::function<void(llvm::Value* turn)> beside = {};
  bool ready = false;  // `w`: not groups, but their blocks as emit_ready() left them (first)
};

// The same by a matrix unit, for rows whose sums lie evenly apart.
struct UnitContraction {
  std::vector<GroupPlace> w;
  std::vector<llvm::Value*> numbers;  // of the block, as emit_unit_numbers() left them
  // The rows of activations: their addresses by number, i64; and of the block the first row's numbers, and
  // bytes (i64) from there to the next row's.
  std::function<llvm::Value*(llvm::Value* row)> x;
  llvm::Value* x_numbers = nullptr;
  llvm::Value* x_apart = nullptr;
  std::vector<llvm::Value*> sums;  // of the first row, by group
  int64_t sums_apart = 0;          // bytes
  llvm::Value* rows = nullptr;     // i64: MatrixUnit::kTokens, or as many as the unit was told are the rest
  bool rest = false;               // the latter?
  int64_t cols = 0;
};

class WeightLayout {
 public:
  virtual ~WeightLayout() = default;

  virtual std::string name() const = 0;    // for `pack`, plans and reports; nobody takes it apart
  virtual DType dtype() const = 0;         // of the numbers: activations are Q8_0 where it is quantised
  virtual int64_t group_rows() const = 0;  // 8, 16 or 32
  virtual int64_t group_bytes(int64_t cols) const = 0;
  // So many neighbouring groups are packed together, a slab: those too that a matrix has not got.
  virtual int64_t slab_groups() const { return 1; }
  int64_t slab_rows() const { return slab_groups() * group_rows(); }
  int64_t slab_bytes(int64_t cols) const { return slab_groups() * group_bytes(cols); }
  // Up to slab_rows() rows, one after the other, in blocks of the format (ir/block_format.h). Missing rows
  // and columns become zeros.
  virtual void pack_slab(const std::byte* rows, int64_t count, int64_t cols, std::byte* out) const = 0;
  // Element [row, col] of a packed slab.
  virtual float element(const std::byte* slab, int64_t cols, int64_t row, int64_t col) const = 0;

  // The bytes of a group that products read: one or two runs of blocks, each straight through memory. (Where
  // there are two, a block has a part in both.)
  struct Run {
    int64_t bytes, block_bytes;
  };
  virtual std::vector<Run> runs(int64_t cols) const { return {{group_bytes(cols), block_bytes()}}; }
  // Where run `run` of group `number` begins, bytes from the start of the matrix.
  virtual llvm::Value* run_offset(KernelBuilder& k, int64_t cols, llvm::Value* number, size_t run) const = 0;
  // Of a format's layouts, who is to choose it: everybody; whose products want one side unsigned, since its
  // numbers are kept so; whoever asks for a high_plane().
  enum class Kind : uint8_t { usual, of_unsigned, in_planes };
  virtual Kind kind() const { return Kind::usual; }
  // Another layout of the same bytes, of which products read fewer: the high halves of the numbers, which is
  // enough to guess (q8_0_high.h). Of those in planes.
  virtual const WeightLayout* high_plane() const { return nullptr; }

  // A group is read in blocks of so many columns, the last of which may be shorter.
  virtual int64_t block_cols() const = 0;
  // In the group's first run: a block's bytes, and where it begins.
  virtual int64_t block_bytes() const = 0;
  virtual llvm::Value* block_offset(KernelBuilder& k, llvm::Value* block) const = 0;
  // sums[i][m] += w[i] · x[m] over the `count` columns of a block, in order: the same chain of operations
  // whatever else is in flight.
  virtual void emit_block(KernelBuilder& k, const Contraction& c, llvm::Value* block,
                          int64_t count) const = 0;
  // In how many turns, of a loop, emit_block() goes through a block and calls Contraction::beside; 0: it does
  // not.
  virtual int64_t turns() const { return 0; }
  // What depends on the weights alone can be done once for all rows that meet a block: this form of a group's
  // block has so many bytes, a multiple of 64; 0 if nothing is gained.
  virtual int64_t ready_bytes(const Target&) const { return 0; }
  virtual void emit_ready(KernelBuilder&, const GroupPlace& /*group*/, llvm::Value* /*block*/,
                          llvm::Value* /*out*/) const {}
  // Does the target have a matrix unit that takes the numbers of blocks? Then there is another way, to the
  // same bits: for numbers that lie in memory as the unit takes them, or that are brought to it.
  enum class ByUnit : uint8_t { no, in_place, brought };
  virtual ByUnit by_matrix_unit(const Target&) const { return ByUnit::no; }
  // The numbers as the unit takes them: where they lie, or brought to `out` (MatrixUnit::kRows × 32 bytes).
  virtual llvm::Value* emit_unit_numbers(KernelBuilder&, const GroupPlace& /*group*/, llvm::Value* /*block*/,
                                         llvm::Value* out) const {
    return out;
  }
  virtual void emit_block_by_unit(KernelBuilder&, const UnitContraction&, llvm::Value*) const {}
  // Columns [j, j + 8) of row `row` of the slab at `slab`, <8 x f32>; j is a multiple of 8, and what lies
  // beyond the last column any number.
  virtual llvm::Value* emit_row(KernelBuilder& k, llvm::Value* slab, llvm::Value* row, int64_t cols,
                                llvm::Value* j) const = 0;
};

// Null for a name of none: row-major weights have the name of their format, "f32".
const WeightLayout* find_weight_layout(const std::string& name);
// Of a kind's layouts for numbers of a format whose groups have at most so many rows, the one with the most.
// Error if there is none.
const WeightLayout& widest_layout(DType dtype, int64_t most_rows,
                                  WeightLayout::Kind kind = WeightLayout::Kind::usual);
std::vector<const WeightLayout*> all_weight_layouts();  // by name

struct RegisterWeightLayout {
  explicit RegisterWeightLayout(const WeightLayout& layout);  // which lives as long as the program
};

}  // namespace lmc
