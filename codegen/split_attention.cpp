#include "codegen/split_attention.h"

#include <algorithm>

#include "codegen/stage.h"
#include "ir/op_def.h"

namespace lmc {
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

}  // namespace

FlatGraph split_attention(const FlatGraph& flat) {
  const Graph& g = flat.graph;
  FlatGraph out;
  out.graph.name = g.name;
  SideTable<ValueId, ValueId> map(g.num_value_ids());
  for (ValueId v : g.inputs()) map[v] = out.graph.add_input(g.value(v).name, g.type(v));
  for (ValueId v : g.weights()) map[v] = out.graph.add_weight(g.value(v).name, g.type(v));
  for (OpId id : g.ops()) {
    const Op& op = g.op(id);
    std::vector<ValueId> operands;
    for (ValueId v : op.operands) operands.push_back(map[v]);
    const auto add = [&](const std::string& name, const std::vector<ValueId>& in, const AttrMap& attrs,
                         const std::vector<std::string>& names) {
      const OpId copy = out.graph.add_op(name, in, attrs, names, op.scope, op.loc);
      out.cluster[copy] = flat.cluster[id];
      out.group[copy] = flat.group[id];
      return copy;
    };
    std::vector<std::string> names;
    for (ValueId r : op.results) names.push_back(g.value(r).name);
    OpId made;
    if (op.def->name == "attention" && splits(g, op) > 1) {
      const Type& query = g.type(op.operands[0]);
      AttrMap attrs = op.attrs;
      attrs["splits"] = splits(g, op);
      attrs["chunk"] = kAttentionChunk;
      attrs["chunks"] = chunks_seen(g, op);
      const OpId split = add("attention_split", operands, attrs, {names[0] + ".chunks"});
      made = add("attention_merge", {out.graph.result(split), operands[2]},
                 {{"heads", query.dims[1]},
                  {"dim", query.dims[2]},
                  {"window", attr_int(op, "window")},
                  {"chunk", kAttentionChunk}},
                 names);
    } else {
      made = add(op.def->name, operands, op.attrs, names);
    }
    for (size_t i = 0; i < op.results.size(); ++i) map[op.results[i]] = out.graph.result(made, i);
  }
  std::vector<ValueId> outputs;
  for (ValueId v : g.outputs()) outputs.push_back(map[v]);
  out.graph.set_outputs(outputs);
  return out;
}

}  // namespace lmc
