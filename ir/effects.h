// What ops do besides computing results: an op may change an operand in place (OpDef::updates), and whoever
// reads that operand as it was has to do so before.
#pragma once

#include <optional>
#include <vector>

#include "ir/graph.h"

namespace lmc {

// Result `result` of an op takes the place of its operand `operand`: both are the same memory.
struct Update {
  size_t operand;
  size_t result;
};
// Of a plain op what its definition says, of a group what its body does.
std::vector<Update> updates_of(const Op& op);

// The value whose memory `v` is: an input, or the result of an op that updates nothing. `v` itself for most.
ValueId memory_of(const Graph& g, ValueId v);

// Which operand of an op of category `attention` is the cache that it reads; none in other ops.
std::optional<size_t> cache_read(const Graph& g, const Op& op);

// `first` reads what `then` changes in place, and no operand says so.
struct Before {
  OpId first, then;
};
// Throws Error naming ops and values where a value is changed in place twice, returned as it was before the
// change, or read as it was by an op that needs what comes of the change.
std::vector<Before> order_by_effects(const Graph& g);

// The live ops in an order in which they may run: every op behind those whose results it needs, readers
// before writers; apart from that, by id. Throws Error as order_by_effects, or if there is a circle.
std::vector<OpId> run_order(const Graph& g);

}  // namespace lmc
