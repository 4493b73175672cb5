// What the contraction kernels can be: which of a body's ops stand in front of the contraction, which behind
// it, and in what form its outputs are wanted. The class that is stated here is what linear.cpp emits; any
// other body is refused with the reason.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "codegen/frame.h"
#include "codegen/weight_layout.h"

namespace lmc {

struct LinearForm {
  // Throws Error, at the op, where the body is none of this class. `spec` must outlive it.
  LinearForm(const KernelSpec& spec, OpId contraction);

  Frame frame;
  OpId core;
  bool experts;  // the weight is a stack of matrices, chosen per token (linear_experts)
  // For one token: row ops in front of the core, whose results are kept in front of the scratch.
  std::vector<OpId> prologue;
  std::map<ValueId, Slot> published;  // those of their results that others read, and where these find them
  std::vector<ValueId> stores;        // results of the core and what is behind it that go to memory
  // The output's two halves (gate and up), where the epilogue combines them; else empty.
  std::vector<ValueId> halves;
  ValueId quantised;  // result of a quantize in the epilogue
  ValueId logits;     // the step's, of which not all may be wanted (KernelSpec::logits)
  int64_t kept_bytes = 0;

  const WeightLayout* layout;
  int64_t outputs, cols;
  int64_t slots;  // experts of a token; 1

  const Op& op() const { return frame.g.op(core); }
  int64_t parts() const { return halves.empty() ? 1 : 2; }
  int64_t groups() const {  // of weight rows, of each part
    return (outputs + layout->group_rows() - 1) / layout->group_rows() / parts();
  }

 private:
  void take_prologue(const std::vector<OpId>& ahead);
  void take_epilogue(const std::vector<OpId>& behind);
};

// Both results of a split of `y` into halves of whole groups of weight rows, if that is all that reads it.
std::vector<ValueId> halves_of(const Graph& g, ValueId y, int64_t group_rows);

// What may stand behind a contraction. `made_behind`: does the op need the contraction's result? `inside`: is
// it of the kernel already?
struct Epilogue {
  const Graph& g;
  ValueId result;               // of the contraction
  std::vector<ValueId> halves;  // of it, where they are combined; else empty
  bool experts;
  std::function<bool(OpId)> made_behind, inside;

  // Elementwise over exactly the outputs (or their halves), every other operand ready before.
  bool fits(const Op& op) const;
  // Rounds what the epilogue computes: whole blocks, and each in one tile.
  bool quantises(const Op& op) const;
};

}  // namespace lmc
