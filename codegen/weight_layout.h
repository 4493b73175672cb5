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

// Groups of weight rows against rows of activations, all in registers at once.
struct Contraction {
  std::vector<llvm::Value*> w;  // addresses of groups of weight rows
  std::vector<llvm::Value*> x;  // addresses of activation rows
  // Variables <group_rows() x f32>, by group and activation row.
  std::vector<std::vector<llvm::Value*>> sums;
  bool evenly_apart = false;  // each activation row as far from the one before as the others
  int64_t cols = 0;
  // Called before the bytes [offset, offset + bytes) of each group are read: asks for those to come.
  std::function<void(llvm::Value* offset, int64_t bytes)> prefetch;
};

class WeightLayout {
 public:
  virtual ~WeightLayout() = default;

  virtual std::string name() const = 0;    // for `pack`, plans and reports; nobody takes it apart
  virtual DType dtype() const = 0;         // of the numbers: activations are Q8_0 where it is quantised
  virtual int64_t group_rows() const = 0;  // 8, 16 or 32
  virtual int64_t group_bytes(int64_t cols) const = 0;
  // Up to group_rows() rows, one after the other, in blocks of the format (ir/block_format.h). Missing rows
  // and columns become zeros.
  virtual void pack_group(const std::byte* rows, int64_t count, int64_t cols, std::byte* out) const = 0;
  // Element [row, col] of a packed group.
  virtual float element(const std::byte* group, int64_t cols, int64_t row, int64_t col) const = 0;

  // Evenly apart activation rows that emit_dots() likes best on a target when there are many, instead of 8.
  virtual int64_t rows_at_once(const Target&) const { return 8; }
  // Bytes after which the inner loop asks for memory again.
  virtual int64_t prefetch_bytes() const = 0;
  // sums[i][m] += w[i] · x[m], column by column in order, the same chain of operations whatever else is in
  // flight.
  virtual void emit_dots(KernelBuilder& k, const Contraction& c) const = 0;
  // Columns [j, j + 8) of row `lane` of the group at `group`, <8 x f32>; j is a multiple of 8, and what lies
  // beyond the last column any number.
  virtual llvm::Value* emit_row(KernelBuilder& k, llvm::Value* group, llvm::Value* lane, int64_t cols,
                                llvm::Value* j) const = 0;
};

// Null for a name of none: row-major weights have the name of their format, "f32".
const WeightLayout* find_weight_layout(const std::string& name);
// Of the layouts for numbers of a format whose groups have at most so many rows, the one with the most.
// Error if there is none.
const WeightLayout& widest_layout(DType dtype, int64_t most_rows);
std::vector<const WeightLayout*> all_weight_layouts();  // by name

struct RegisterWeightLayout {
  explicit RegisterWeightLayout(const WeightLayout& layout);  // which lives as long as the program
};

}  // namespace lmc
