// Joins slices of one weight that lie side by side: what fuse-qkv joins may have been one tensor all along,
// and then joining costs nothing.
//
//   concat(slice(%w){0,n}, slice(%w){n,n}, slice(%w){2n,n})     →   %w
#include <optional>

#include "ir/pass.h"
#include "ir/weight_expression.h"

namespace lmc::passes::fold_weights {
namespace {

// Only cuts and joins are looked through; what they cut and join are leaves.
std::optional<WeightView> cuts(const Op& op, const ViewArgs& a) {
  const bool looked_through = op.def->name == "slice" || op.def->name == "concat";
  return looked_through ? WeightExpressions::numbers(op, a) : std::nullopt;
}

// [start, start + size) of `from` along `axis`, if a view is exactly that.
struct Range {
  ValueId from;
  int64_t axis, start, size;
};

std::optional<Range> joined_range(const Graph& g, const Op& concat, const WeightView& view) {
  if (view.boxes().size() != 1 || view.boxes()[0].transposed) return std::nullopt;
  const WeightBox& box = view.boxes()[0];
  const Type& whole = g.type(box.leaf);
  if (whole.rank() != g.type(concat.results[0]).rank() || whole.rank() > 2) return std::nullopt;
  const int64_t axis = attr_int(concat, "axis");
  const bool columns = axis + 1 == whole.rank();
  const Positions& along = columns ? box.across : box.down;
  const Matrix m = matrix(whole);
  const bool rest = columns ? box.down.is_range(0, m.rows) : box.across.is_range(0, m.cols);
  if (!rest || along.runs().size() != 1 || along.runs()[0].repeated) return std::nullopt;
  return Range{box.leaf, axis, along.runs()[0].from, along.size()};
}

class FoldWeights : public Pass {
 public:
  std::string name() const override { return "fold-weights"; }
  std::string doc() const override { return "join neighbouring slices of one weight again"; }
  std::vector<std::string> before() const override { return {"quantize"}; }

  bool run(Graph& g, PassContext& context) const override {
    std::vector<ValueId> concats;
    for (OpId id : topo_order(g)) {
      if (g.op(id).def->name == "concat") concats.push_back(g.result(id));
    }
    const WeightExpressions x(g, concats, cuts);
    for (const ValueId v : concats) {
      if (context.applications >= context.limit) break;
      const OpId id = g.value(v).def;
      const Op& op = g.op(id);
      const std::optional<Range> range = joined_range(g, op, x.view(v));
      if (!range) continue;
      ValueId whole = range->from;
      if (range->start != 0 || range->size != g.type(whole).dims[static_cast<size_t>(range->axis)]) {
        whole = g.result(g.add_op("slice", {whole},
                                  {{"axis", range->axis}, {"start", range->start}, {"size", range->size}}, {},
                                  op.scope, op.loc));
      }
      g.replace_all_uses(v, whole);
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
}  // namespace lmc::passes::fold_weights
