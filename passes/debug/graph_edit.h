// A graph rebuilt with changes: what reduce tries. Nothing is edited in place, so a change that does not fit
// costs nothing.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "ir/graph.h"

namespace lmc {

struct GraphEdit {
  std::optional<std::vector<ValueId>> outputs;  // instead of the graph's
  std::map<ValueId, ValueId> instead;           // another value, made earlier, for every reader
  std::set<ValueId> cut;   // becomes an input of its type, or a weight if it depends on weights alone
  std::set<OpId> inlined;  // groups whose ops take their place
  std::map<OpId, GraphEdit> bodies;  // of groups; a body's outputs may only become fewer if nobody reads them
  std::map<ValueId, Type> types;     // of inputs and weights
  std::map<OpId, AttrMap> attrs;
};

// `g` with the changes; what no output depends on any more is gone, inputs and weights included. Nothing if
// the result is not well typed.
std::optional<Graph> edited(const Graph& g, const GraphEdit& edit);

}  // namespace lmc
