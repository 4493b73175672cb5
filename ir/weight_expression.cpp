#include "ir/weight_expression.h"

#include <algorithm>
#include <unordered_set>

namespace lmc {

std::optional<WeightView> WeightExpressions::numbers(const Op& op, const ViewArgs& a) {
  if (op.def->view) return op.def->view(a);
  const bool one_result = op.results.size() == 1;
  if (one_result && (op.def->tiles || op.def->category == OpCategory::elementwise)) return std::nullopt;
  throw Error(op.loc, op.def->name + " cannot be computed on weights when compiling");
}

std::optional<WeightView> WeightExpressions::origins(const Op& op, const ViewArgs& a) {
  if (op.def->view) return op.def->view(a);
  const Matrix m = matrix(a.type);
  if (a.in.empty() || op.results.size() != 1 || a.in[0]->rows() != m.rows) return std::nullopt;
  if (a.in[0]->cols() == m.cols) return *a.in[0];
  return a.in[0]->pick_columns(Positions::repeat(0, m.cols));
}

// Operands in front of results.
std::vector<ValueId> WeightExpressions::reachable(std::span<const ValueId> roots) const {
  std::vector<ValueId> out;
  std::unordered_set<uint32_t> seen;
  struct Visit {
    ValueId v;
    size_t operand;  // the next to look at
  };
  std::vector<Visit> stack;
  for (const ValueId root : roots) {
    if (seen.insert(root.v).second) stack.push_back({root, 0});
    while (!stack.empty()) {
      Visit& top = stack.back();
      const Op* op = g_.def_op(top.v);
      if (!op || top.operand == op->operands.size()) {
        out.push_back(top.v);
        stack.pop_back();
        continue;
      }
      const ValueId next = op->operands[top.operand++];
      if (seen.insert(next.v).second) stack.push_back({next, 0});
    }
  }
  return out;
}

ViewArgs WeightExpressions::arguments(const Op& op, const Type& type) {
  ViewArgs a{{}, {}, {}, type, op.attrs};
  for (const ValueId v : op.operands) {
    a.in.push_back(&views_.at(v.v));
    a.types.push_back(g_.type(v));
    const auto plain = unrounded_.find(v.v);
    a.unrounded.push_back(plain == unrounded_.end() ? a.in.back() : &plain->second);
  }
  return a;
}

WeightExpressions::WeightExpressions(const Graph& g, std::span<const ValueId> roots, const Look& look)
    : g_(g) {
  const std::vector<ValueId> values = reachable(roots);
  std::unordered_map<uint32_t, size_t> readers;  // still to come; roots are never done with
  for (const ValueId root : roots) ++readers[root.v];
  for (const ValueId v : values) {
    if (const Op* op = g.def_op(v)) {
      for (const ValueId operand : op->operands) ++readers[operand.v];
    }
  }
  for (const ValueId v : values) {
    const Op* op = g.def_op(v);
    std::optional<WeightView> view;
    if (op) view = look(*op, arguments(*op, g.type(v)));
    const bool computed = op && !view;
    if (!view) {
      view = WeightView::whole(v, matrix(g.type(v)));
      order_[v.v] = order_.size();
    }
    const auto unrounded_leaf = [&](ValueId leaf) {
      const Op* rounding = g.def_op(leaf);
      return rounding && rounding->def->rounds ? &views_.at(rounding->operands[0].v) : nullptr;
    };
    const auto rounded = [&](const WeightBox& box) { return unrounded_leaf(box.leaf) != nullptr; };
    if (std::any_of(view->boxes().begin(), view->boxes().end(), rounded))
      unrounded_[v.v] = view->with_leaves(unrounded_leaf);
    views_[v.v] = std::move(*view);
    if (!op || computed) continue;  // what a leaf is computed from is read later
    for (const ValueId operand : op->operands) {
      if (--readers[operand.v] > 0) continue;
      views_.erase(operand.v);
      unrounded_.erase(operand.v);
    }
  }
}

}  // namespace lmc
