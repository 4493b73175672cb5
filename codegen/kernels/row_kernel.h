// Row kernels: any mix of elementwise and row ops, one token's row after the other. Also what the epilogue of
// a linear uses to evaluate elementwise ops over its output.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "codegen/frame.h"
#include "codegen/kernels/builder.h"

namespace lmc {

class RowEmitter;

// How one op is emitted; registered by op name, one file per kind under codegen/kernels.
struct RowOpEmitter {
  // Elementwise ops: 8 lanes of the result from 8 lanes of each operand.
  std::function<llvm::Value*(KernelBuilder&, const Op&, const std::vector<llvm::Value*>& lanes)> lanes;
  // Row ops: the whole row of the current token, written to the results' slots.
  std::function<void(RowEmitter&, const Op&)> row;
  bool sub_rows_anywhere = false;  // takes sub-rows that are parts of longer ones (Slot::sub_row)
};

struct RegisterRowOp {
  RegisterRowOp(const std::string& op_name, RowOpEmitter emitter);
};
const RowOpEmitter* find_row_op(const std::string& op_name);

class RowEmitter {
 public:
  RowEmitter(KernelBuilder& k, const Frame& frame, llvm::Value* token)
      : k(k), frame(frame), g(frame.g), token_(token) {}

  KernelBuilder& k;
  const Frame& frame;
  const Graph& g;

  llvm::Value* token() const { return token_; }

  // Emits these ops of the kernel for the current token.
  void emit_ops(const std::vector<OpId>& ops);

  // Address of element 0 of the value's row for the current (or another) token.
  llvm::Value* address(ValueId v) { return address(v, token_); }
  llvm::Value* address(ValueId v, llvm::Value* token);
  Slot slot(ValueId v) const { return frame.slot(v); }
  const PlanCache& cache(ValueId v) const { return frame.cache(v); }

  // k.lanes() lanes of `v` starting at element `inner` of sub-row `outer` (a row of rank 3 has several
  // sub-rows of the last dimension). Lanes past the end of the sub-row hold unspecified numbers. Elementwise
  // ops without a slot are computed on the spot.
  llvm::Value* lanes(ValueId v, llvm::Value* outer, llvm::Value* inner);
  // One element, from memory only.
  llvm::Value* element(ValueId v, llvm::Value* index);

  // Calls `body(inner, lanes)` for each vector of a row of `length`: whole ones in a loop, then the tail.
  using OnLanes = std::function<void(llvm::Value* inner, int64_t lanes)>;
  void for_lanes(int64_t length, const OnLanes& body);
  // The same for what is done lane by lane: as far as it goes, with k.lanes() as many as registers hold.
  void for_wide_lanes(int64_t length, const OnLanes& body);
  // Stores lanes to the value's slot (f32).
  void store(ValueId v, llvm::Value* outer, llvm::Value* inner, llvm::Value* value, int64_t lanes);

  // Sub-rows and their length: [T,4,256] → 4, 256; [T,1152] → 1, 1152.
  static int64_t sub_rows(const Type& t);

  // Makes `v` stand for a value in registers (the accumulator of a linear).
  void bind(ValueId v, llvm::Value* lanes) { bound_[v] = lanes; }
  void forget() { bound_.clear(); }

 private:
  void for_whole_lanes(int64_t from, int64_t to, const OnLanes& body);
  llvm::Value* load_lanes(ValueId v, llvm::Value* outer, llvm::Value* inner);

  llvm::Value* token_;
  std::map<ValueId, llvm::Value*> bound_;
};

// Throws Error at the op if an operand is sub-rows that are parts of longer ones, and its kernel expects them
// side by side.
void check_sub_rows(const Frame& frame, OpId id);

// In front of the scratch: what the kept prologue belongs to (the stage's operands, StepInfo::serial).
inline constexpr int64_t kKeptHeader = 64;

// Row ops in front of a linear for one token, which every worker runs before its first tile, into memory of
// its own in front of the scratch: what a worker has kept holds if it is of this stage and this step; else
// `ops` run. Tile 0 copies what other stages read: `published`, where each goes.
void emit_prologue(KernelBuilder& k, const Frame& frame, const std::vector<OpId>& ops,
                   const std::map<ValueId, Slot>& published);

}  // namespace lmc
