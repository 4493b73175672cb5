// A fusion: ops that are to become one kernel. Its meaning is that of its body.
#include <algorithm>
#include <cmath>

#include "ir/eval.h"
#include "ir/ops/common.h"

namespace lmc::ops::group {
namespace {

const RegisterOp kOp(OpDef{
    .name = "group",
    .doc = "a nested graph of ordinary ops, one kernel of phases when compiled",
    .category = OpCategory::group,
    .operands = {{"inputs", "what the body reads, weights included, in the order of its inputs", false,
                  true}},
    .attrs = {{"name", AttrKind::text, std::string(), "the pass that made it"},
              {"kernel", AttrKind::text, std::string(), "when lowered: the family of its kernel"},
              {"tokens", AttrKind::integer, int64_t{0}, "when lowered: most tokens of a step"},
              {"tiles", AttrKind::integer, int64_t{0}, "when lowered: how many calls make the launch"},
              {"grain", AttrKind::integer, int64_t{0},
               "when lowered: what one tile works on, as the family counts it"},
              {"prefetch", AttrKind::integer, int64_t{1},
               "when lowered: the level of the cache that weights are asked into ahead of their use; 0: the "
               "first, and for a row or two none"}},
    .infer =
        [](const InferArgs& a) {
          require(a.body != nullptr, "a group needs a body");
          const std::vector<ValueId> inputs = a.body->inputs();
          require(inputs.size() == a.size(), [&] {
            return "the body has " + std::to_string(inputs.size()) + " inputs, " + std::to_string(a.size()) +
                   " are given";
          });
          for (size_t i = 0; i < inputs.size(); ++i) {
            require(a.body->type(inputs[i]) == a[i], [&] {
              return "operand " + std::to_string(i) + " is " + a[i].str() + ", the body expects " +
                     a.body->type(inputs[i]).str();
            });
          }
          require(a.body->weights().empty(), "weights enter a group as operands");
          std::vector<Type> out;
          for (ValueId v : a.body->outputs()) out.push_back(a.body->type(v));
          require(!out.empty(), "the body returns nothing");
          return out;
        },
    .eval =
        [](const EvalArgs& a) {
          TensorMap inputs;
          const std::vector<ValueId> names = a.body->inputs();
          for (size_t i = 0; i < names.size(); ++i) inputs[a.body->value(names[i]).name] = a[i];
          return evaluate(*a.body, inputs, [](const std::string& name, const Type&) -> Tensor {
            throw Error("weight @" + name + " inside a group");
          });
        },
});

}  // namespace
}  // namespace lmc::ops::group
