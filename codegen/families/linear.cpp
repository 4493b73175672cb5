// linear: one weight for all tokens.
#include "codegen/families/contraction.h"
#include "ir/op_def.h"

namespace lmc::families::linear {
namespace {

class LinearFamily : public ContractionFamily {
 public:
  std::string name() const override { return "linear"; }
  std::string doc() const override {
    return "y = x Wt over tiles of weight rows, with row ops in front of it (one token) and elementwise ops "
           "and "
           "a quantize behind";
  }
  bool is_core(const Op& op) const override { return op.def->name == "linear"; }
  bool can_pick(const KernelSpec& spec) const override {
    return form(spec).frame.over_rows && spec.outputs.size() == 1;  // nothing else is made of them
  }
};

const LinearFamily kFamily;
const RegisterFamily kRegister(kFamily);

}  // namespace
}  // namespace lmc::families::linear
