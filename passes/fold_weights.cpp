// Joins slices of one weight that lie side by side: what fuse-qkv joins may have been one tensor all along,
// and then joining costs nothing.
//
//   concat(slice(%w){0,n}, slice(%w){n,n}, slice(%w){2n,n})     →   %w
#include <optional>

#include "ir/op_def.h"
#include "ir/pass.h"

namespace lmc {
namespace {

// [start, start + size) of `from` along the axis of the concat, if the operands are exactly that, in order.
struct Range {
  ValueId from;
  int64_t start, size;
};

std::optional<Range> joined_range(const Graph& g, const Op& concat) {
  const int64_t axis = attr_int(concat, "axis");
  std::optional<Range> range;
  for (ValueId v : concat.operands) {
    const Op* slice = g.def_op(v);
    if (!slice || slice->def->name != "slice" || attr_int(*slice, "axis") != axis ||
        attr_int(*slice, "every") != 0)
      return std::nullopt;
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
      if (op.def->name != "concat" || context.applications >= context.limit) continue;
      const std::optional<Range> range = joined_range(g, op);
      if (!range) continue;
      const int64_t axis = attr_int(op, "axis");
      ValueId whole = range->from;
      if (range->start != 0 || range->size != g.type(whole).dims[static_cast<size_t>(axis)]) {
        whole = g.result(g.add_op("slice", {whole},
                                  {{"axis", axis}, {"start", range->start}, {"size", range->size}}, {},
                                  op.scope, op.loc));
      }
      g.replace_all_uses(g.op(id).results[0], whole);
      g.erase_op(id);
      ++context.applications;
    }
    // The slices just joined; a graph where nothing was joined stays as it is.
    if (context.applications > 0) g.remove_dead();
    return context.applications > 0;
  }
};

const RegisterPass kPass(std::make_unique<FoldWeights>());

}  // namespace
}  // namespace lmc
