// Attention of a single token in two ops, so that more workers than there are kv heads can share the cache:
// its chunks are worked on apart and merged in order behind.
//
//   %h = attention(%q, %kv, %pos)   →   %p = attention_split(%q, %kv, %pos) {splits=2, …}
//                                       %h = attention_merge(%p, %pos)
#include <algorithm>

#include "codegen/attention_chunks.h"
#include "ir/op_def.h"
#include "ir/pass.h"

namespace lmc::lowering::split_attention {
namespace {

// Enough tiles to keep the cores of a desktop busy; a tile without a chunk returns at once.
constexpr int64_t kTiles = 8;

// Most chunks that one token can see.
int64_t chunks_seen(const Graph& g, const Op& attention) {
  const int64_t window = attr_int(attention, "window");
  const int64_t span = window > 0 ? window : g.type(attention.operands[1]).dims[0];
  // A window may begin in the middle of a chunk; without one the first chunk begins at position 0.
  return (span + kAttentionChunk - 1) / kAttentionChunk + (window > 0 ? 1 : 0);
}

int64_t splits(const Graph& g, const Op& attention) {
  const int64_t kv_heads = g.type(attention.operands[1]).dims[1];
  return std::min(chunks_seen(g, attention), std::max<int64_t>(kTiles / kv_heads, 1));
}

class SplitAttention : public Pass {
 public:
  std::string name() const override { return "split-attention"; }
  std::string doc() const override {
    return "in the step of one token, attention by chunks of the cache, merged behind";
  }
  std::vector<std::string> after() const override { return {"specialise"}; }
  std::vector<std::string> before() const override { return {"form-kernels"}; }
  PassPhase phase() const override { return PassPhase::lower_step; }
  std::string example() const override {
    return R"(graph @example (%q: f32[1,2,8], %pos: i32[1], %kv: kv_f16[512,2,8]) {
  %h = attention(%q, %kv, %pos) {scale=0.35}
  return %h
})";
  }

  bool run(Graph& g, PassContext& context) const override {
    if (!one_token(g)) return false;
    split_all(g, context);
    return context.applications > 0;
  }

 private:
  static bool one_token(const Graph& g) {
    const std::vector<ValueId> inputs = g.inputs();
    return std::none_of(inputs.begin(), inputs.end(), [&](ValueId v) {
      const auto& dims = g.type(v).dims;
      return !dims.empty() && dims[0] == kDimT;
    });
  }

  static void split_all(Graph& g, PassContext& context) {
    for (OpId id : g.ops()) {
      if (g.op(id).body) split_all(g.body(id), context);
      if (g.op(id).def->name != "attention" || splits(g, g.op(id)) <= 1) continue;
      if (context.applications >= context.limit) return;
      split(g, id);
      ++context.applications;
    }
  }

  static void split(Graph& g, OpId id) {
    const std::vector<ValueId> operands = g.op(id).operands;
    const std::string scope = g.op(id).scope;
    const Location loc = g.op(id).loc;
    const int32_t source = g.op(id).source;
    const ValueId result = g.result(id);
    const std::string name = g.value(result).name;
    const int64_t heads = g.type(operands[0]).dims[1];
    const int64_t width = cache_shape(g.type(operands[1])).value;
    const int64_t window = attr_int(g.op(id), "window");
    AttrMap attrs = g.op(id).attrs;
    attrs["splits"] = splits(g, g.op(id));
    attrs["chunk"] = kAttentionChunk;
    attrs["chunks"] = chunks_seen(g, g.op(id));
    // What joins the softmax does so once, behind the chunks.
    const OpId parts = g.add_op("attention_split", {operands.begin(), operands.begin() + 3}, attrs,
                                {name + ".chunks"}, scope, loc);
    std::vector<ValueId> merging{g.result(parts), operands[2]};
    merging.insert(merging.end(), operands.begin() + 3, operands.end());
    const OpId merged =
        g.add_op("attention_merge", merging,
                 {{"heads", heads}, {"dim", width}, {"window", window}, {"chunk", kAttentionChunk}}, {name},
                 scope, loc);
    g.set_source(parts, source);
    g.set_source(merged, source);
    g.replace_all_uses(result, g.result(merged));
    g.erase_op(id);
    g.rename(g.result(merged), name);
  }
};

const RegisterPass kPass(std::make_unique<SplitAttention>());

}  // namespace
}  // namespace lmc::lowering::split_attention
