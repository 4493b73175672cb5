// A lowered group as the kernel it is: where its operands lie follows from the graph around it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "codegen/kernel_spec.h"
#include "ir/graph.h"

namespace lmc {

// The operands of one launch, each with the value at the top of the graph that it is.
struct GroupKernel {
  KernelSpec spec;              // with the group's attributes kernel, tokens, tiles, grain and prefetch
  std::vector<ValueId> values;  // one per spec.operands
};

class GroupKernels {
 public:
  // `g` is a lowered step; `block`: most tokens of any step, which sizes the rings of the caches.
  GroupKernels(const Graph& g, int64_t block);

  // Throws Error, at the op, where it is no kernel.
  GroupKernel of(OpId group) const;
  // The caches of the graph's inputs, in their order.
  const std::vector<PlanCache>& caches() const { return caches_; }
  int64_t cache_index(ValueId v) const { return cache_index_.at(v); }  // of an input
  bool is_weight(ValueId v) const { return only_[v] != 0; }
  ValueId logits() const { return g_.outputs().at(0); }

 private:
  KernelOperand operand(ValueId v) const;

  const Graph& g_;
  SideTable<ValueId, char> only_;
  std::vector<PlanCache> caches_;
  std::map<ValueId, int64_t> cache_index_;
};

// tokens, pos, out_rows or length. Error for an input of another name.
StepInput step_input(const Graph& g, ValueId v);

}  // namespace lmc
