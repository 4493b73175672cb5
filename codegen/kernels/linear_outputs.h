// What follows the sums of a contraction: bias, elementwise ops, stores, and the rounding of results to Q8_0.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "codegen/kernels/allowed_rows.h"
#include "codegen/kernels/argmax.h"
#include "codegen/kernels/linear_form.h"
#include "codegen/kernels/linear_rows.h"

namespace lmc {

class LinearOutputs {
 public:
  // The outputs that are quantised together, by eights.
  using Block = std::array<llvm::Value*, kQ8Block / kLanes>;

  // `first`: the tile's first group of weight rows (of each half). `rows`, `form` and `k` outlive it.
  LinearOutputs(KernelBuilder& k, const LinearForm& form, LinearRows& rows, llvm::Value* first);

  // Scratch for results that are to be quantised: f32 [rows][outputs of a tile].
  static int64_t results_bytes(const LinearForm& form);

  // Outputs that finish() takes at once: registers full, but for logits, of which the largest is sought.
  int64_t lanes() const;
  // Of one row, number `line` of the walk's, so many outputs from `column` on (of each half, where there are
  // two); stores what later stages read. Returns what is to be quantised, if anything.
  llvm::Value* finish(llvm::Value* column, llvm::Value* row, llvm::Value* line,
                      std::vector<llvm::Value*> sums);
  // What finish() returned for part number `at` of a group, into a line of the scratch.
  void keep(llvm::Value* group, int64_t at, llvm::Value* line, llvm::Value* result);
  void quantise(llvm::Value* group, llvm::Value* row, const Block& block);
  void quantise_kept(llvm::Value* group, llvm::Value* line, llvm::Value* row);

  // Where a step wants no more of its logits, the largest of those allowed is sought, line by line of each
  // walk. `allowed` outlives this.
  void search(AllowedRows& allowed);
  void start_line(llvm::Value* line);
  void finish_line(llvm::Value* line, llvm::Value* row);

  int64_t groups_per_block() const { return kQ8Block / group_rows_; }

 private:
  void store(llvm::Value* y, llvm::Value* to, llvm::Value* column, int64_t outputs);
  llvm::Value* kept(llvm::Value* group, llvm::Value* line);

  KernelBuilder& k;
  llvm::IRBuilder<>& b;
  const LinearForm& form;
  LinearRows& rows_;
  llvm::Value* first_;
  int64_t group_rows_;
  std::optional<Argmax> argmax_;
  AllowedRows* allowed_ = nullptr;
};

}  // namespace lmc
