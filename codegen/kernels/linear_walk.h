// A tile's weights in four streams (linear.cpp) against the rows of activations. A block of weights, as it
// comes, meets all of them, or 64 if there are more: so many at once as registers hold products of (or a
// matrix unit takes), the others while the block is in the first level of the cache. The sums of all rows
// wait in memory meanwhile, so that weights are read once; those of one row, or a few, stay in registers,
// with a walk for each such number (seven are six and one), in fewer streams if they would not fit
// (walk_form.h). Floats, whose blocks are not worth keeping, meet no more rows than that in a walk.
#pragma once

#include <functional>
#include <vector>

#include "codegen/kernels/linear_outputs.h"
#include "codegen/kernels/linear_prefetch.h"
#include "codegen/kernels/walk_form.h"

namespace lmc {

class LinearWalk {
 public:
  static constexpr int64_t kMostRows = 64;  // that a walk over the tile serves

  // `weights`: the matrix. `allowed`: of logits; else null. All that is referred to outlives this.
  LinearWalk(KernelBuilder& k, const LinearForm& form, LinearRows& rows, LinearOutputs& outputs,
             llvm::Value* weights, AllowedRows* allowed);

  // From the scratch's start on.
  static int64_t scratch_bytes(const LinearForm& form);

  void emit(const LinearPrefetch::Tile& tile);

 private:
  // Which groups of weight rows are worked on in step: `width`, `apart` from each other.
  struct Streams {
    llvm::Value *from, *to;  // the first's
    int64_t width;
    llvm::Value* apart;
  };
  void emit_rows(const LinearPrefetch::Tile& tile);
  void emit_some(const LinearPrefetch::Tile& tile, llvm::Value* from, llvm::Value* count, int64_t known);
  void walk(const Streams& streams);
  void step(const Streams& streams, llvm::Value* group);
  void start(size_t groups);
  void keep_sums(size_t groups);
  void ask();
  void ask_for_rows();
  void meet(const std::vector<GroupPlace>& groups, llvm::Value* block, int64_t count);
  llvm::Value* meet_by_unit(const std::vector<GroupPlace>& groups, llvm::Value* block);
  void meet_in_registers(const std::vector<GroupPlace>& groups, llvm::Value* block, int64_t count,
                         llvm::Value* first);
  llvm::Value* prepared(size_t group);
  std::vector<GroupPlace> make_ready(const std::vector<GroupPlace>& groups, llvm::Value* block);
  void meet_rows(const std::vector<GroupPlace>& groups, llvm::Value* block, int64_t count, llvm::Value* row,
                 int64_t together);
  void multiply_by_unit(const UnitContraction& of_block, llvm::Value* block, llvm::Value* row,
                        llvm::Value* rows, bool rest);
  void gather(UnitContraction& of_rows, llvm::Value* block, llvm::Value* rows);
  void finish(const Streams& streams, llvm::Value* group, llvm::Value* row);

  // Addresses, of what belongs to the row so many behind `row`.
  llvm::Value* sum(llvm::Value* row, size_t group, int64_t behind = 0);
  llvm::Value* finished_sum(llvm::Value* row, size_t group);
  llvm::Value* kept_sum(llvm::Value* row, size_t group, int64_t behind = 0);
  llvm::Value* activations(llvm::Value* row, int64_t behind);
  llvm::Value* activations_anywhere(llvm::Value* row);
  void for_rows(const std::function<void(llvm::Value* row)>& body);

  // The rows of a mixture's expert lie anywhere: where, is looked up once.
  bool listed() const { return form.experts && !form.frame.single(); }

  KernelBuilder& k;
  llvm::IRBuilder<>& b;
  const LinearForm& form;
  LinearRows& rows_;
  LinearOutputs& outputs_;
  const WeightLayout& layout_;
  WalkForm how_;                        // of the rows that are walked for
  LinearPrefetch* prefetch_ = nullptr;  // of the tile that is walked
  AllowedRows* allowed_;
  llvm::Value *weights_, *sums_, *table_;
  llvm::Value *from_, *count_;          // which rows this walk serves
  llvm::Value* apart_ = nullptr;        // bytes from a row of activations to the next
  llvm::Value* rest_ = nullptr;         // rows behind the last 16, if a matrix unit takes them; else 0
  std::vector<llvm::Value*> prepared_;  // blocks, by group
  llvm::Value* gathered_ = nullptr;     // numbers of rows that lie anywhere, for a matrix unit
  std::vector<std::vector<llvm::Value*>> variables_;  // the sums of these rows, by row and group
};

}  // namespace lmc
