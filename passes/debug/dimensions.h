// Which numbers of a graph stand for the same dimension, so that one can be made smaller everywhere at once.
// Knows no op: numbers that are equal within one op count as one dimension, and what an op infers decides the
// rest.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "ir/graph.h"
#include "passes/debug/graph_edit.h"

namespace lmc {

class Dimensions {
 public:
  explicit Dimensions(const Graph& g);

  // Sets of dimensions worth changing together: all of one number, then each alone; larger numbers first.
  struct Choice {
    int64_t number;
    std::vector<int> dimensions;
  };
  std::vector<Choice> choices() const;

  // What else must change for those dimensions to become `to`: nothing if they cannot.
  std::optional<GraphEdit> change(const Choice& choice, int64_t to) const;

 private:
  friend class DimensionChange;
  struct Slot {  // one dimension of a value, or one number of an attribute
    const Graph* graph;
    ValueId value;
    OpId op;
    std::string attr;
    size_t index;
    auto operator<=>(const Slot&) const = default;
  };

  void add(const Graph& g);
  void tie_op(const Graph& g, OpId id);
  void tie_types(const Graph& a, ValueId x, const Graph& b, ValueId y);
  int slot(const Slot& s, int64_t number);
  int root(int i) const;
  void tie(int a, int b);
  int dimension(const Slot& s) const;  // -1: a number that does not change

  const Graph* g_;
  std::map<Slot, int> slots_;
  std::vector<int64_t> numbers_;
  mutable std::vector<int> parents_;
};

}  // namespace lmc
