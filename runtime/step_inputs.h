// What kernels are told of a step: the rows' tokens, positions, lengths and caches, in memory of its own.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ir/kernel_abi.h"
#include "ir/plan.h"
#include "runtime/arena.h"
#include "runtime/sequence.h"

namespace lmc {

// One row of a step: the next token of a sequence. Any mix goes: rows of one sequence are its tokens in
// order.
struct StepRow {
  Sequence* sequence = nullptr;
  int32_t token = 0;
  bool logits = true;  // wanted?
  // Positions that the sequence will have with all tokens known to come: a whole prompt's, of which this step
  // may take a part. Longrope goes by it. 0: those behind this step.
  int64_t length = 0;
};

class StepInputs {
 public:
  explicit StepInputs(const Plan& plan);

  int32_t* input(StepInput which) const;
  int64_t bytes() const { return memory_.bytes(); }

  // Writes the inputs of a step of these rows; valid until the next call. Positions are those behind what the
  // sequences hold; nothing is appended to them, but their caches are made ready to be written there.
  StepInfo write(std::span<const StepRow> rows);

 private:
  void add_row(const StepRow& row);

  int64_t stride_;  // bytes from one input to the next
  Arena memory_;
  std::vector<std::byte* const*> caches_;  // by row
  std::vector<RowSpan> spans_;
  // Of every sequence in the step: its next position.
  struct Next {
    const Sequence* sequence;
    int64_t position;
  };
  std::vector<Next> next_;
};

}  // namespace lmc
