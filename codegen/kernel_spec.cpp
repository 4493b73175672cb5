#include "codegen/kernel_spec.h"

#include "ir/effects.h"
#include "ir/op_def.h"
#include "ir/text.h"

namespace lmc {
namespace {

Graph without_names(const Graph& g) {
  Graph out("k");
  SideTable<ValueId, ValueId> map(g.num_value_ids());
  int number = 0;
  const auto name = [&] { return "v" + std::to_string(number++); };
  for (ValueId v : g.inputs()) map[v] = out.add_input(name(), g.type(v));
  for (OpId id : run_order(g)) {
    const Op& op = g.op(id);
    std::vector<ValueId> operands;
    for (ValueId v : op.operands) operands.push_back(map[v]);
    std::vector<std::string> names;
    for (size_t i = 0; i < op.results.size(); ++i) names.push_back(name());
    AttrMap attrs = op.attrs;
    if (attrs.contains("role")) attrs["role"] = std::string();
    const OpId copy = out.add_op(*op.def, operands, attrs, names);
    for (size_t i = 0; i < op.results.size(); ++i) map[op.results[i]] = out.result(copy, i);
  }
  std::vector<ValueId> outputs;
  for (ValueId v : g.outputs()) outputs.push_back(map[v]);
  out.set_outputs(outputs);
  return out;
}

std::string list(const std::vector<int>& numbers) {
  std::string out;
  for (const int n : numbers) out += " " + std::to_string(n);
  return out;
}

}  // namespace

KernelSpec KernelSpec::canonical() const {
  KernelSpec out{
      family, without_names(body), operands, inputs, outputs, tokens, tiles, grain, prefetch, logits, timed};
  for (KernelOperand& o : out.operands) o.cache.name.clear();
  return out;
}

std::string KernelSpec::text() const {
  std::string out = family + " tokens=" + std::to_string(tokens) + " tiles=" + std::to_string(tiles) +
                    " grain=" + std::to_string(grain) + " prefetch=" + std::to_string(prefetch) +
                    (logits ? " logits" : "") + (timed ? " timed" : "") + "\ninputs" + list(inputs) +
                    "\noutputs" + list(outputs) + "\n";
  for (const KernelOperand& o : operands) {
    out += "operand " + std::to_string(static_cast<int>(o.space)) + " " + o.layout + " " +
           std::to_string(o.stride);
    if (o.space == Space::kv) {
      const PlanCache& c = o.cache;
      out += std::string(" ") + dtype_name(c.dtype);
      for (const int64_t n : {c.span, c.capacity, c.kv_heads, c.key_dim, c.value_dim, c.bytes})
        out += " " + std::to_string(n);
    }
    out += "\n";
  }
  return out + print_graph(body);
}

}  // namespace lmc
