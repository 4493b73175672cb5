// Where everything lies while a kernel runs, worked out from its spec: what the emitters ask.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "codegen/kernel_spec.h"

namespace lmc {

// `operand` of the launch (or the scratch), plus offset + row * stride.
struct Slot {
  static constexpr int kScratch = -1;

  int operand = kScratch;
  int64_t offset = 0;          // bytes
  int64_t stride = 0;          // bytes from one token's row to the next; 0 for weights and scratch
  std::string layout = "f32";  // as KernelOperand::layout
  int64_t sub_row = 0;         // elements from one sub-row to the next, if that is more than a sub-row has
};

class Frame {
 public:
  // `spec` must outlive it.
  explicit Frame(const KernelSpec& kernel);

  const KernelSpec& spec;
  const Graph& g;                     // the body
  const std::vector<OpId> ops;        // of the body, in the order they run, without views
  const std::vector<ValueId> stores;  // results that are outputs, but for caches, in that order
  const bool over_rows;               // runs over R (rows wanted) instead of T (new tokens)

  bool single() const { return spec.single(); }
  // Does the value lie in memory? Else it is computed where it is used.
  bool has(ValueId v) const;
  Slot slot(ValueId v) const;  // of one that does; views lie where what they show lies
  const PlanCache& cache(ValueId v) const;
  bool is_input(ValueId v) const { return g.value(v).kind == ValueKind::input; }

  // Gives a result a place in the scratch; where it is an output as well, that place goes first.
  void place_in_scratch(ValueId v, int64_t offset);
  // Of a body's output: where it is for others to read.
  Slot output_slot(ValueId v) const;
  // Must the result lie in memory though nobody else reads it? An elementwise value with one reader that
  // visits each element once is computed where it is read.
  bool needs_memory(ValueId v) const;

 private:
  Slot operand_slot(int operand) const;

  std::map<ValueId, Slot> slots_;  // of what is no view
};

// Bytes of one token's row of an activation, padded so that whole vectors may be read and written.
int64_t row_bytes(const Type& type);
// Of that, bytes of a quantised sub-row (of the last dimension): its values, then what belongs to the blocks.
int64_t quantised_bytes(int64_t length);

// Does the op run over the rows whose logits are wanted?
bool runs_over_rows(const Graph& g, OpId id);

}  // namespace lmc
