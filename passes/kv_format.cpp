// The format of the caches, written into their types so that a dump shows it and the evaluator rounds as they
// do. Those of rows, without keys, stay as they are: they are short, and read whole. Queries that meet int8
// keys are rounded to int8 likewise.
//
//   graph (%kv.0: kv_f16[512,1,256])     →     graph (%kv.0: kv_f32[512,1,256])      with format=f32
//
//   %a = attention(%q, %kv1, %pos)       →     %q.q8 = quantize(%q)                  with format=q8_0
//                                              %a = attention(%q.q8, %kv1, %pos)
#include "ir/effects.h"
#include "ir/op_def.h"
#include "ir/pass.h"

namespace lmc::passes::kv_format {
namespace {

DType format_of(const std::string& name) {
  if (name == "f16") return DType::kv_f16;
  if (name == "f32") return DType::kv_f32;
  if (name == "q8_0") return DType::kv_q8_0;
  throw Error("kv-format.format must be f16, f32 or q8_0, found '" + name + "'");
}

// Gives an attention its queries as its cache wants them.
void fit_query(Graph& g, OpId id) {
  const Op& op = g.op(id);
  if (cache_read(g, op) != 1) return;
  const ValueId q = op.operands[0];
  const bool int8 = g.type(op.operands[1]).dtype == DType::kv_q8_0;
  if (int8 == is_quantised(g.type(q).dtype)) return;
  if (int8) {
    const OpId rounded = g.add_op("quantize", {q}, {{"format", std::string("q8_0")}},
                                  {g.value(q).name + ".q8"}, op.scope, op.loc);
    g.set_operand(id, 0, g.result(rounded));
  } else if (const Op* rounded = g.def_op(q); rounded && rounded->def->name == "quantize") {
    g.set_operand(id, 0, rounded->operands[0]);
    if (g.value(q).uses.empty() && !g.is_output(q)) g.erase_op(g.value(q).def);
  }
}

// Carries the formats of inputs to what is made of them, within groups too.
void carry_on(Graph& g) {
  for (OpId id : topo_order(g)) {
    const Op& op = g.op(id);
    if (op.body) {
      Graph& body = g.body(id);
      for (size_t i = 0; i < op.operands.size(); ++i) body.set_type(body.inputs()[i], g.type(op.operands[i]));
      carry_on(body);
    }
    for (const Update& u : updates_of(op)) g.set_type(op.results[u.result], g.type(op.operands[u.operand]));
    fit_query(g, id);
  }
}

class KvFormat : public Pass {
 public:
  std::string name() const override { return "kv-format"; }
  std::string doc() const override { return "set the format of the KV caches"; }
  std::vector<std::string> after() const override { return {"quantize"}; }
  std::vector<std::string> before() const override { return {"fuse-down-act"}; }
  bool exact() const override { return false; }
  std::vector<PassSetting> settings() const override { return {{"format", "f16 (default), f32 or q8_0"}}; }

  bool run(Graph& g, PassContext& context) const override {
    const DType wanted = format_of(context.setting("format", "f16"));
    for (ValueId v : g.inputs()) {
      const Type& type = g.type(v);
      if (!is_kv(type.dtype) || type.dtype == wanted || cache_shape(type).key == 0) continue;
      if (context.applications >= context.limit) break;
      g.set_type(v, with_dtype(g.type(v), wanted));
      ++context.applications;
    }
    if (context.applications == 0) return false;
    carry_on(g);
    g.reinfer();
    return true;
  }
};

const RegisterPass kPass(std::make_unique<KvFormat>());

}  // namespace
}  // namespace lmc::passes::kv_format
