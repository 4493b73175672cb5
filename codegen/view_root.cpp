#include "codegen/view_root.h"

#include "ir/op_def.h"

namespace lmc {

ViewRoot view_root(const Graph& g, ValueId v) {
  ViewRoot r{v};
  bool reshaped = false;
  while (const Op* op = g.def_op(r.value)) {
    if (op->def->category != OpCategory::view) break;
    reshaped = reshaped || op->def->name == "reshape";
    if (op->def->name == "split") {
      if (const Type& whole = g.type(op->operands[0]); whole.rank() > 2) {
        if (reshaped) throw Error(op->loc, "reshape of a split of heads has no kernel");
        r.sub_row = whole.last();
      }
      const auto& sizes = attr_ints(*op, "sizes");
      for (size_t i = 0; op->results[i] != r.value; ++i) r.element += sizes[i];
    }
    r.value = op->operands[0];
  }
  return r;
}

}  // namespace lmc
