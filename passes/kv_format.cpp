// The format of the caches, written into their types so that a dump shows it and the evaluator rounds as they
// do.
//
//   graph (%kv.0: kv_f16[512,1,256])     →     graph (%kv.0: kv_f32[512,1,256])      with format=f32
#include "ir/op_def.h"
#include "ir/pass.h"

namespace lmc::passes::kv_format {
namespace {

class KvFormat : public Pass {
 public:
  std::string name() const override { return "kv-format"; }
  std::string doc() const override { return "set the format of the KV caches"; }
  std::vector<std::string> after() const override { return {"quantize"}; }
  std::vector<std::string> before() const override { return {"fuse-down-act"}; }
  bool exact() const override { return false; }
  std::vector<PassSetting> settings() const override { return {{"format", "f16 (default) or f32"}}; }

  bool run(Graph& g, PassContext& context) const override {
    const std::string format = context.setting("format", "f16");
    if (format != "f16" && format != "f32")
      throw Error("kv-format.format must be f16 or f32, found '" + format + "'");
    const DType wanted = format == "f16" ? DType::kv_f16 : DType::kv_f32;
    for (ValueId v : g.inputs()) {
      if (!is_kv(g.type(v).dtype) || g.type(v).dtype == wanted) continue;
      if (context.applications >= context.limit) break;
      g.set_type(v, with_dtype(g.type(v), wanted));
      ++context.applications;
    }
    if (context.applications > 0) g.reinfer();
    return context.applications > 0;
  }
};

const RegisterPass kPass(std::make_unique<KvFormat>());

}  // namespace
}  // namespace lmc::passes::kv_format
