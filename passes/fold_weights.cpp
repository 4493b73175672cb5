// Joins slices of one weight that lie side by side: what fuse-qkv joins may have been one tensor all along,
// and then joining costs nothing.
//
//   concat(slice(%w){0,n}, slice(%w){n,n}, slice(%w){2n,n})     →   %w
#include <optional>

#include "ir/op_def.h"
#include "passes/pass.h"

namespace lmc {
namespace {

// [start, start + size) of `from` along the first axis, if the operands are exactly that, in order.
struct Range {
  ValueId from;
  int64_t start, size;
};

std::optional<Range> joined_range(const Graph& g, const Op& concat) {
  std::optional<Range> range;
  for (ValueId v : concat.operands) {
    const Op* slice = g.def_op(v);
    if (!slice || slice->def->name != "slice" || attr_int(*slice, "axis") != 0) return std::nullopt;
    const Range part{slice->operands[0], attr_int(*slice, "start"), attr_int(*slice, "size")};
    if (!range) {
      range = part;
    } else if (range->from != part.from || range->start + range->size != part.start) {
      return std::nullopt;
    } else {
      range->size += part.size;
    }
  }
  return range;
}

class FoldWeights : public Pass {
 public:
  std::string name() const override { return "fold-weights"; }
  std::string doc() const override { return "join neighbouring slices of one weight again"; }
  std::vector<std::string> before() const override { return {"quantize"}; }

  bool run(Graph& g, PassContext& context) const override {
    for (OpId id : topo_order(g)) {
      const Op& op = g.op(id);
      if (op.def->name != "concat" || attr_int(op, "axis") != 0) continue;
      const std::optional<Range> range = joined_range(g, op);
      if (!range) continue;
      ValueId whole = range->from;
      if (range->start != 0 || range->size != g.type(whole).dims[0]) {
        whole = g.result(g.add_op("slice", {whole},
                                  {{"axis", int64_t{0}}, {"start", range->start}, {"size", range->size}}, {},
                                  op.scope, op.loc));
      }
      g.replace_all_uses(g.op(id).results[0], whole);
      g.erase_op(id);
      ++context.applications;
    }
    g.remove_dead();
    return context.applications > 0;
  }
};

const RegisterPass kPass(std::make_unique<FoldWeights>());

}  // namespace
}  // namespace lmc
