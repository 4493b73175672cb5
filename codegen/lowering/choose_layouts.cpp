// A layout for every weight that a step reads, before the steps part: they share the weights.
//
//   %y = linear(%x, @w)   →   %w.packed = pack(@w) {layout=…}
//                             %y = linear(%x, %w.packed)
#include "codegen/layout.h"
#include "ir/pass.h"

namespace lmc {
namespace {

class ChooseLayouts : public Pass {
 public:
  std::string name() const override { return "choose-layouts"; }
  std::string doc() const override { return "lay out every weight as the kernels that read it want it"; }
  PassPhase phase() const override { return PassPhase::lower_model; }
  bool run(Graph& g, PassContext& context) const override {
    const bool changed = add_packing(g);
    context.applications += changed ? 1 : 0;
    return changed;
  }
};

const RegisterPass kPass(std::make_unique<ChooseLayouts>());

}  // namespace
}  // namespace lmc
