// The step that guesses a token reads the high halves of the weights that have a layout in planes, half of
// the bytes. The other steps are left as they are.
//
//   %y = linear(%x, %w.packed)   →   %w.high = high_nibbles(%w.packed) {layout=q8_0_high.planes16}
//                                    %y = linear(%x, %w.high)
#include "codegen/weight_layout.h"
#include "ir/op_def.h"
#include "ir/pass.h"
#include "ir/readers.h"

namespace lmc::lowering::read_high_nibbles {
namespace {

class ReadHighNibbles : public Pass {
 public:
  std::string name() const override { return "read-high-nibbles"; }
  std::string doc() const override {
    return "in the step that guesses: weights by the high halves of their numbers";
  }
  std::vector<std::string> after() const override { return {"choose-layouts"}; }
  std::vector<std::string> before() const override { return {"specialise"}; }
  PassPhase phase() const override { return PassPhase::lower_step; }
  bool exact() const override { return false; }
  std::vector<PassSetting> settings() const override {
    return {{"draft", "0: this is no step that guesses, and the weights stay whole (1)"}};
  }
  std::string example() const override {
    return R"(graph @example (%tokens: i32[T]) {
  weight @embed : f32[64,32]
  weight @w : f32[16,32]
  %table = pack(@embed) {layout=f32}
  %few = quantize(@w) {format=q8_0}
  %m = pack(%few) {layout=q8_0.planes16}
  %x = embedding(%tokens, %table)
  %r = quantize(%x) {format=q8_0}
  %y = linear(%r, %m)
  return %y
})";
  }

  bool run(Graph& g, PassContext& context) const override {
    if (context.setting("draft", "1") == "0") return false;
    int64_t done = 0;
    for (OpId id : g.ops()) {
      if (done >= context.limit) break;
      const Op& pack = g.op(id);
      if (pack.def->name != "pack") continue;
      const WeightLayout* layout = find_weight_layout(attr_string(pack, "layout"));
      const WeightLayout* high = layout ? layout->high_plane() : nullptr;
      if (high && read_so(g, g.result(id), *high)) ++done;
    }
    context.applications += done;
    if (done > 0) g.reinfer();
    return done > 0;
  }

 private:
  // Whoever multiplies by the weight gets its high halves; whoever looks up rows gets them whole.
  static bool read_so(Graph& g, ValueId packed, const WeightLayout& high) {
    std::vector<Use> multiplied;
    for (const Use& u : g.value(packed).uses) {
      if (only_multiplies(g, u)) multiplied.push_back(u);
    }
    if (multiplied.empty()) return false;
    const Op& reader = g.op(multiplied[0].op);
    const OpId made = g.add_op("high_nibbles", {packed}, {{"layout", high.name()}},
                               {g.value(packed).name + ".high"}, reader.scope, reader.loc);
    for (const Use& u : multiplied) g.set_operand(u.op, u.operand, g.result(made));
    return true;
  }

  static bool only_multiplies(const Graph& g, const Use& u) {
    const Op& op = g.op(u.op);
    if (!op.body) return multiplies(op, u);
    const ValueId inside = op.body->inputs()[u.operand];
    bool all = op.body->value(inside).returned == 0 && !op.body->value(inside).uses.empty();
    for_each_reader(*op.body, inside,
                    [&](const Graph& body, const Use& in) { all = all && multiplies(body.op(in.op), in); });
    return all;
  }

  static bool multiplies(const Op& op, const Use& u) {
    return op.def->category == OpCategory::contraction && u.operand == 1;
  }
};

const RegisterPass kPass(std::make_unique<ReadHighNibbles>());

}  // namespace
}  // namespace lmc::lowering::read_high_nibbles
