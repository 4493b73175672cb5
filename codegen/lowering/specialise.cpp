// One graph for each kind of step. With tokens=1 the symbolic number of new tokens becomes 1:
//
//   graph @m (%tokens: i32[T], …)   →   graph @m (%tokens: i32[1], …)
//
// The step for blocks of tokens keeps T.
#include "ir/op_def.h"
#include "ir/pass.h"

namespace lmc::lowering::specialise {
namespace {

class Specialise : public Pass {
 public:
  std::string name() const override { return "specialise"; }
  std::string doc() const override { return "a graph of its own for the step of one token"; }
  std::vector<std::string> after() const override { return {"choose-layouts"}; }
  PassPhase phase() const override { return PassPhase::lower_step; }
  std::vector<PassSetting> settings() const override {
    return {{"tokens", "1: the step of one token; anything else leaves T"}};
  }

  bool run(Graph& g, PassContext& context) const override {
    if (context.setting("tokens", "1") != "1" || context.limit < 1) return false;
    for (ValueId v : g.inputs()) {
      Type t = g.type(v);
      if (t.dims.empty() || t.dims[0] != kDimT) continue;
      t.dims[0] = 1;
      g.set_type(v, t);
      ++context.applications;
    }
    if (context.applications > 0) g.reinfer();
    return context.applications > 0;
  }
};

const RegisterPass kPass(std::make_unique<Specialise>());

}  // namespace
}  // namespace lmc::lowering::specialise
