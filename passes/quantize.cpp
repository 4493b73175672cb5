// Projections that are large enough are quantised, weights in the format of the rules (quant_rules.h),
// activations in Q8_0:
//
//   %y = linear(%x, %w)   →   %qx = quantize(%x)   %qw = quantize(%w)   %y = linear(%qx, %qw)
//
// (f16 and bf16 weights meet activations in f32.) Projections by experts likewise, each expert's weight being
// a source of its own; the router keeps its precision.
//
// The rules speak of source projections: max(in, out) >= min_dim. A fused linear (one that is only split
// again) holds as many sources as parts; where they differ, all follow the largest, and the ledger says so. A
// table that is also the lm_head's weight (tied embeddings) is stored once: the lookup reads the quantised
// rows. A table that is only looked up stays as it is, quantised if the checkpoint has it so, unless a
// pattern names its tensor.
#include <algorithm>
#include <map>
#include <set>

#include "ir/block_format.h"
#include "ir/op_def.h"
#include "ir/pass.h"
#include "ir/weight_sources.h"
#include "passes/quant_rules.h"

namespace lmc::passes::quantize {
namespace {

int64_t number(const std::string& text, const std::string& what) {
  size_t used = 0;
  int64_t n = -1;
  try {
    n = std::stoll(text, &used);
  } catch (const std::exception&) {
  }
  if (n < 0 || used != text.size())
    throw SettingError(what + " must be a whole number of 0 or more, found '" + text + "'");
  return n;
}

// Weight matrices behind a projection: one, or one for each expert.
int64_t matrices(const Graph& g, const Op& linear) {
  const Type& w = g.type(linear.operands[1]);
  return w.rank() == 3 ? w.dims[0] : 1;
}

// Rows of each source projection behind a linear (of one expert).
std::vector<int64_t> source_rows(const Graph& g, const Op& linear) {
  const ValueId y = linear.results[0];
  const auto& uses = g.value(y).uses;
  if (uses.size() == 1 && !g.is_output(y)) {
    const Op& user = g.op(uses[0].op);
    if (user.def->name == "split") return attr_ints(user, "sizes");
  }
  const Type& w = g.type(linear.operands[1]);
  return {w.dims[static_cast<size_t>(w.rank() - 2)]};
}

// Where the weight of each projection comes from.
std::map<ValueId, std::vector<WeightRows>> tensors_of(const Graph& g) {
  std::vector<ValueId> weights;
  for (OpId id : g.ops()) {
    if (g.op(id).def->category == OpCategory::contraction) weights.push_back(g.op(id).operands[1]);
  }
  std::vector<std::vector<WeightRows>> rows = weight_rows(g, weights);
  std::map<ValueId, std::vector<WeightRows>> out;
  for (size_t i = 0; i < weights.size(); ++i) out.emplace(weights[i], std::move(rows[i]));
  return out;
}

// The source projections behind a linear, in the order of its weight's rows, which `tensors` lists.
std::vector<QuantSource> sources_of(const Graph& g, const Op& linear,
                                    const std::vector<WeightRows>& tensors) {
  std::vector<QuantSource> out;
  int64_t first = 0;
  for (int64_t i = 0; i < matrices(g, linear); ++i) {
    for (const int64_t rows : source_rows(g, linear)) {
      out.push_back({attr_string(linear, "role"), part_of(tensors, first, rows), rows,
                     g.type(linear.operands[1]).last()});
      first += rows;
    }
  }
  return out;
}

class Quantize : public Pass {
 public:
  std::string name() const override { return "quantize"; }
  std::string doc() const override { return "store large projections in fewer bits"; }
  std::vector<std::string> after() const override { return {"fuse-qkv", "fuse-gate-up"}; }
  bool exact() const override { return false; }
  std::vector<PassSetting> settings() const override {
    return {
        {"format", "q8_0 (default), " + weight_format_names() +
                       " or none; then PATTERN=FORMAT for roles and tensor names, the first that fits, as "
                       "in q8_0,ffn_*=q4_k,lm_head=none"},
        {"min_dim", "quantise where max(in, out) reaches this; default 0, all"},
        {"stored",
         "PATTERN=FORMAT of what the checkpoint holds quantised, PATTERN=FORMAT:NAME where that is the "
         "nearest "
         "to another format; come after the patterns of format"},
        {"prefer",
         "stored (default) or format: which of them decides about what is stored quantised and reaches "
         "min_dim"}};
  }

  bool run(Graph& g, PassContext& context) const override {
    const std::string prefer = context.setting("prefer", "stored");
    if (prefer != "stored" && prefer != "format")
      throw SettingError("quantize.prefer must be stored or format, found '" + prefer + "'");
    QuantRules rules(context.setting("format", "q8_0"), {context.setting("stored", ""), prefer == "stored"},
                     number(context.setting("min_dim", "0"), "quantize.min_dim"));
    std::map<DType, int64_t> quantised;
    int64_t all = 0;
    std::set<std::string> roles;
    std::map<std::pair<ValueId, DType>, ValueId> done = quantised_already(g);
    const std::map<ValueId, std::vector<WeightRows>> tensors = tensors_of(g);
    for (OpId id : topo_order(g)) {
      const Op& op = g.op(id);
      if (op.def->category != OpCategory::contraction) continue;
      const std::vector<QuantSource> sources = sources_of(g, op, tensors.at(op.operands[1]));
      roles.insert(attr_string(op, "role"));
      std::vector<QuantChoice> choices;
      for (const QuantSource& s : sources) choices.push_back(rules.choose(s));
      if (is_quantised(g.type(op.operands[1]).dtype)) continue;
      all += static_cast<int64_t>(sources.size());
      const std::string kept = why_kept(g, op, context);
      if (!kept.empty()) choices.assign(sources.size(), {std::nullopt, kept});
      std::optional<DType> format = QuantRules::together(choices);
      if (format == g.type(op.operands[1]).dtype) format.reset();  // it is so already
      enter(sources, choices, g.type(op.operands[1]).dtype, format, context);
      if (!format) continue;
      quantised[*format] += static_cast<int64_t>(sources.size());
      apply(g, id, *format, done);
      ++context.applications;
    }
    quantise_tables(g, rules, done, context);
    rules.check_used({roles.begin(), roles.end()});
    context.summary = summary(quantised, all);
    return context.applications > 0;
  }

 private:
  // "quantized 183 of 183 projections to Q8_0"
  static std::string summary(const std::map<DType, int64_t>& quantised, int64_t all) {
    int64_t sum = 0;
    std::string formats;
    for (const auto& [format, count] : quantised) {
      sum += count;
      formats += (formats.empty() ? "" : ", ") + format_title(format);
      if (quantised.size() > 1) formats += " (" + std::to_string(count) + ")";
    }
    return "quantized " + std::to_string(sum) + " of " + std::to_string(all) + " projections" +
           (formats.empty() ? "" : " to " + formats);
  }

  // What a graph (of another hand) holds quantised anyway.
  static std::map<std::pair<ValueId, DType>, ValueId> quantised_already(const Graph& g) {
    std::map<std::pair<ValueId, DType>, ValueId> out;
    for (OpId id : g.ops()) {
      if (g.op(id).def->name != "quantize") continue;
      out.emplace(std::pair(g.op(id).operands[0], g.type(g.result(id)).dtype), g.result(id));
    }
    return out;
  }

  // The reason why a projection stays as it is whatever the rules say, or "".
  static std::string why_kept(const Graph& g, const Op& op, const PassContext& context) {
    const Type& x = g.type(op.operands[0]);
    if (attr_string(op, "role") == "moe_router") return "a router keeps its precision";
    if (op.def->name == "linear" && x.rank() != 2) return "its input is " + x.str() + ", not rows";
    if (context.applications >= context.limit) return "--pass-limit";
    return "";
  }

  static void enter(const std::vector<QuantSource>& sources, const std::vector<QuantChoice>& choices,
                    DType before, std::optional<DType> format, PassContext& context) {
    const DType after = format.value_or(before);
    for (size_t i = 0; i < sources.size(); ++i) {
      LedgerEntry e;
      e.sources = sources[i].tensors;
      e.rows = sources[i].rows;
      e.cols = sources[i].cols;
      e.rule = choices[i].rule;
      if (format && choices[i].format != format)
        e.rule += choices[i].format ? ", follows the most precise it is fused with"
                                    : ", follows the largest it is fused with";
      e.format = dtype_name(after);
      e.bytes_before = storage_bytes(before, e.rows * e.cols, e.cols);
      e.bytes_after = storage_bytes(after, e.rows * e.cols, e.cols);
      context.ledger.push_back(std::move(e));
    }
  }

  using Done = std::map<std::pair<ValueId, DType>, ValueId>;

  static void quantise_tables(Graph& g, QuantRules& rules, Done& done, PassContext& context) {
    for (const OpId id : topo_order(g)) {
      const Op& op = g.op(id);
      if (op.def->name != "embedding") continue;
      const ValueId table = op.operands[1];
      const Type type = g.type(table);
      const QuantSource source{"", weight_rows(g, table), type.dims[0], type.last()};
      const QuantChoice choice = rules.choose_table(source, g.value(table).kind == ValueKind::weight);
      if (!choice.format || is_quantised(type.dtype) || choice.format == type.dtype) continue;
      if (context.applications >= context.limit) continue;
      enter({source}, {choice}, type.dtype, choice.format, context);
      const Op user = {op.def, {}, {}, {}, nullptr, op.scope, op.loc, false};
      g.set_operand(id, 1, quantised_value(g, table, *choice.format, user, done));
      ++context.applications;
    }
  }

  static ValueId quantised_value(Graph& g, ValueId v, DType format, const Op& user, Done& done) {
    const auto it = done.find({v, format});
    if (it != done.end()) return it->second;
    const std::string name = dtype_name(format);
    const OpId q =
        g.add_op("quantize", {v}, {{"format", name}},
                 {g.value(v).name + (format == DType::q8_0 ? ".q8" : "." + name)}, user.scope, user.loc);
    return done[{v, format}] = g.result(q);
  }

  static void apply(Graph& g, OpId id, DType format, Done& done) {
    const Op user = {g.op(id).def, {}, {}, {}, nullptr, g.op(id).scope, g.op(id).loc, false};
    const ValueId x = g.op(id).operands[0];
    const ValueId w = g.op(id).operands[1];
    if (is_quantised(format)) g.set_operand(id, 0, quantised_value(g, x, DType::q8_0, user, done));
    const ValueId qw = quantised_value(g, w, format, user, done);
    g.set_operand(id, 1, qw);
    const UseList uses = g.value(w).uses;  // as they are before they change
    for (const Use& u : uses) {
      if (g.op(u.op).def->name == "embedding") g.set_operand(u.op, u.operand, qw);
    }
  }
};

const RegisterPass kPass(std::make_unique<Quantize>());

}  // namespace
}  // namespace lmc::passes::quantize
