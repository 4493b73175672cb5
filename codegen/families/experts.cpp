// linear_experts: each token has a few of a stack of weights.
#include <algorithm>

#include "codegen/families/contraction.h"
#include "ir/op_def.h"

namespace lmc::families::experts {
namespace {

class ExpertsFamily : public ContractionFamily {
 public:
  std::string name() const override { return "experts"; }
  std::string doc() const override {
    return "linear by the weights of the experts chosen for each token; each expert's are read once";
  }
  bool is_core(const Op& op) const override { return op.def->name == "linear_experts"; }
  // At most as many as the tokens have chosen; of a part of the experts as many as of all of them.
  double share_of_weights(const KernelSpec& spec) const override {
    const Op& op = spec.body.op(core_of(spec.body));
    const int64_t choices = spec.body.type(op.operands[2]).last() * spec.tokens;
    const int64_t of = attr_int(op, "of");
    const int64_t experts = of > 0 ? of : spec.body.type(op.operands[1]).dims[0];
    return std::min(1.0, static_cast<double>(choices) / static_cast<double>(experts));
  }
};

const ExpertsFamily kFamily;
const RegisterFamily kRegister(kFamily);

}  // namespace
}  // namespace lmc::families::experts
