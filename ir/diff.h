// What differs between two graphs, whatever their values are called and in whatever order their statements
// stand. Ops are paired by what they compute, then by the weights they read, then by their neighbours; what
// has no partner was removed or added.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/sections.h"

namespace lmc {

enum class ChangeKind : uint8_t { removed, added, changed };

struct GraphDiff;

struct OpChange {
  ChangeKind kind = ChangeKind::changed;
  OpId before, after;               // invalid where there is none
  std::vector<std::string> notes;   // of a changed op: "window: 512 → 1024", "reads %n.q8 instead of %n"
  std::shared_ptr<GraphDiff> body;  // of a changed group: what differs inside
};

struct GraphDiff {
  SideTable<OpId, OpId> to_after, to_before;  // partners; invalid for what was removed or added
  SideTable<ValueId, ValueId> value_to_after, value_to_before;
  std::vector<OpChange> ops;       // removed, then added, then changed
  std::vector<std::string> notes;  // inputs, outputs and weights: "weight @w : f32[8,8] is gone"

  bool same() const { return ops.empty() && notes.empty(); }
};

// Weights and inputs are known by their names, which matter; names of results and of the graph do not.
GraphDiff diff_graphs(const Graph& before, const Graph& after);

// Reading places of `after` that follow those of `before` where the ops are the same.
ReadingOrder order_like(const GraphDiff& d, const ReadingOrder& before, const Graph& after);

// One line of the two graphs side by side; one of the two ops may be missing.
struct DiffRow {
  OpId before, after;
};
// Two sections side by side, both in their order. Partners whose order is exchanged stand on rows of their
// own.
std::vector<DiffRow> side_by_side(const GraphDiff& d, const std::vector<OpId>& before,
                                  const std::vector<OpId>& after);

}  // namespace lmc
