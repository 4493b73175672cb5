// First half of comparing graphs: which op of the one is which of the other. Internal to ir/diff*.cpp.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace lmc {

// Numbers for computations: two values of either graph have one number if they are computed alike from the
// same inputs and weights, known by name (or inputs by position, as those of a group's body).
class ValueNumbers {
 public:
  struct Of {
    SideTable<OpId, uint32_t> op;
    SideTable<ValueId, uint32_t> value;
  };
  Of number(const Graph& g, bool inputs_by_position);

 private:
  uint32_t intern(const std::string& key);
  std::string body_key(const Graph& body);

  std::map<std::string, uint32_t> known_;
};

struct OpPairs {
  SideTable<OpId, OpId> to_after, to_before;
};

OpPairs match_ops(const Graph& before, const Graph& after, const ValueNumbers::Of& before_numbers,
                  const ValueNumbers::Of& after_numbers);

}  // namespace lmc
