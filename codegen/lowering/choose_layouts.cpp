// A layout for every weight that a step reads, before the steps part: they share the weights. Which one is
// the target's choice.
//
//   %y = linear(%x, @w)   →   %w.packed = pack(@w) {layout=…}
//                             %y = linear(%x, %w.packed)
#include <charconv>

#include "codegen/layout.h"
#include "codegen/lowering/lift_weights.h"
#include "codegen/target.h"
#include "ir/error.h"
#include "ir/pass.h"

namespace lmc::lowering::choose_layouts {
namespace {

class ChooseLayouts : public Pass {
 public:
  std::string name() const override { return "choose-layouts"; }
  std::string doc() const override { return "lay out every weight as the kernels that read it want it"; }
  PassPhase phase() const override { return PassPhase::lower_model; }
  std::vector<PassSetting> settings() const override {
    return {{"target", "whose layouts (native)"},
            {"rows", "most rows of a group, instead of what the target wants"},
            {"kind",
             "how q8_0 is kept, instead of as the target wants: usual, unsigned, or planes, for a "
             "step that guesses from the first"}};
  }
  bool run(Graph& g, PassContext& context) const override {
    const bool lifted = lift_weights(g);  // in the sight of what packs them
    const bool changed = add_packing(g, choice(context)) || lifted;
    context.applications += changed ? 1 : 0;
    return changed;
  }

 private:
  static LayoutChoice choice(const PassContext& context) {
    const LayoutChoice usual = usual_choice(context);
    const std::string name = context.setting("kind", "");
    if (name.empty()) return usual;
    const auto kind = kind_named(name);
    return [usual, kind](DType format, int64_t rows_of_matrix, int64_t cols) -> const WeightLayout& {
      const WeightLayout& layout = usual(format, rows_of_matrix, cols);
      return format == DType::q8_0 ? widest_layout(format, layout.group_rows(), kind) : layout;
    };
  }

  static WeightLayout::Kind kind_named(const std::string& name) {
    if (name == "usual") return WeightLayout::Kind::usual;
    if (name == "unsigned") return WeightLayout::Kind::of_unsigned;
    if (name == "planes") return WeightLayout::Kind::in_planes;
    throw Error("choose-layouts.kind must be usual, unsigned or planes, found '" + name + "'");
  }

  static LayoutChoice usual_choice(const PassContext& context) {
    const std::string rows = context.setting("rows", "");
    if (!rows.empty()) {
      int64_t most = 0;
      const auto read = std::from_chars(rows.data(), rows.data() + rows.size(), most);
      if (read.ec != std::errc() || read.ptr != rows.data() + rows.size())
        throw Error("choose-layouts.rows must be a number of rows, found '" + rows + "'");
      return [most](DType format, int64_t, int64_t) -> const WeightLayout& {
        return widest_layout(format, most);
      };
    }
    const Target& target = find_target(context.setting("target", "native"));
    return [&target](DType format, int64_t rows_of_matrix, int64_t cols) -> const WeightLayout& {
      return target.layout(format, rows_of_matrix, cols);
    };
  }
};

const RegisterPass kPass(std::make_unique<ChooseLayouts>());

}  // namespace
}  // namespace lmc::lowering::choose_layouts
