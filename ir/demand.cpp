#include "ir/demand.h"

#include <algorithm>

#include "ir/op_def.h"

namespace lmc {
namespace {

void note(const Graph& g, ValueId v, Demand& d) {
  for (const Use& u : g.value(v).uses) {
    const Op& op = g.op(u.op);
    if (op.body) {
      note(*op.body, op.body->inputs()[u.operand], d);
      continue;
    }
    const std::string& operand =
        op.def->operands[std::min<size_t>(u.operand, op.def->operands.size() - 1)].name;
    d.position = d.position || operand == "pos";
    d.row = d.row || operand == "rows";
    d.length = d.length || operand == "length";
    d.appended = d.appended || op.def->updates == static_cast<int>(u.operand);
    if (operand == "ids") d.below = std::min(d.below, g.type(op.operands[1]).dims[0]);
  }
}

}  // namespace

Demand demand_on(const Graph& g, ValueId input) {
  Demand d;
  note(g, input, d);
  return d;
}

}  // namespace lmc
