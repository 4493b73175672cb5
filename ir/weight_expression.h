// Expressions over weights as data: what every value behind a `pack`, say, is made of. One walk over the
// graph in topological order, whatever the nesting; work and memory are linear in ops and in what views are
// cut into.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <unordered_map>

#include "ir/op_def.h"
#include "ir/weight_view.h"

namespace lmc {

class WeightExpressions {
 public:
  // How an op on weights is seen: the view that its result is of its operands, or nullopt for a leaf, which
  // is looked no further into.
  using Look = std::function<std::optional<WeightView>(const Op&, const ViewArgs&)>;

  // What packing needs: views are looked through, what has to be computed is a leaf. Error at the place of an
  // op that cannot be computed when compiling.
  static std::optional<WeightView> numbers(const Op& op, const ViewArgs& a);
  // Where rows come from: arithmetic is looked through to the first operand too, so that leaves are tensors.
  static std::optional<WeightView> origins(const Op& op, const ViewArgs& a);

  // `g` must outlive it.
  WeightExpressions(const Graph& g, std::span<const ValueId> roots, const Look& look = numbers);

  const Graph& graph() const { return g_; }
  // Of a root, or of an operand of a leaf.
  const WeightView& view(ValueId v) const { return views_.at(v.v); }
  // Leaves come behind those that they are computed from.
  size_t order(ValueId leaf) const { return order_.at(leaf.v); }
  size_t leaves() const { return order_.size(); }

 private:
  std::vector<ValueId> reachable(std::span<const ValueId> roots) const;
  ViewArgs arguments(const Op& op, const Type& type);

  const Graph& g_;
  std::unordered_map<uint32_t, WeightView> views_;
  std::unordered_map<uint32_t, WeightView> unrounded_;  // views that end in a rounding, without it
  std::unordered_map<uint32_t, size_t> order_;
};

}  // namespace lmc
