// Parts of values: of weights when compiling, of activations as views.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "ir/graph.h"
#include "passes/sharding/cut.h"

namespace lmc {

class Cutter {
 public:
  explicit Cutter(Graph& g) : g_(g) {}

  // Of what is made from then on.
  void set_scope(const std::string& scope) { scope_ = scope; }

  // These columns of an activation, these heads of one [T, heads, D].
  ValueId narrowed(ValueId v, const Stretch& piece);
  // Neighbouring pieces of a row, one behind the other from the first on.
  std::vector<ValueId> pieces(ValueId v, const std::vector<Stretch>& pieces);
  // Rows (axis 0) or columns (1) of a weight, one piece behind the other. What is rounded is cut first.
  ValueId weight(ValueId w, int64_t axis, const std::vector<Stretch>& pieces);

 private:
  ValueId heads(ValueId v, const Stretch& piece);
  ValueId add(const std::string& op, std::vector<ValueId> operands, AttrMap attrs, const std::string& name);

  Graph& g_;
  std::string scope_;
  std::map<std::pair<ValueId, std::vector<Stretch>>, std::vector<ValueId>> activations_;
  std::map<std::tuple<ValueId, int64_t, std::vector<Stretch>>, ValueId> weights_;
};

}  // namespace lmc
