#include "ir/demand.h"

#include <algorithm>

#include "ir/op_def.h"
#include "ir/readers.h"

namespace lmc {

Demand demand_on(const Graph& g, ValueId input) {
  Demand d;
  for_each_reader(g, input, [&](const Graph& at, const Use& u) {
    const Op& op = at.op(u.op);
    const std::string& operand =
        op.def->operands[std::min<size_t>(u.operand, op.def->operands.size() - 1)].name;
    d.position = d.position || operand == "pos";
    d.row = d.row || operand == "rows";
    d.length = d.length || operand == "length";
    d.appended = d.appended || op.def->updates == static_cast<int>(u.operand);
    if (operand != "ids") return;
    const auto of = op.attrs.find("of");  // of a part of a table
    const int64_t whole = of == op.attrs.end() ? 0 : std::get<int64_t>(of->second);
    d.below = std::min(d.below, whole > 0 ? whole : at.type(op.operands[1]).dims[0]);
  });
  return d;
}

}  // namespace lmc
