// Projections that are large enough become Q8_0, weights and activations alike:
//
//   %y = linear(%x, %w)   →   %qx = quantize(%x)   %qw = quantize(%w)   %y = linear(%qx, %qw)
//
// Projections by experts likewise, each expert's weight being a source of its own; the router keeps its
// precision.
//
// The rule speaks of source projections: max(in, out) >= min_dim. A fused linear (one that is only split
// again) holds as many sources as parts; where they differ, all follow the largest, and the ledger says so. A
// table that is also the lm_head's weight (tied embeddings) is stored once: the lookup reads the quantised
// rows.
#include <algorithm>
#include <map>

#include "ir/op_def.h"
#include "ir/weight_sources.h"
#include "passes/pass.h"

namespace lmc {
namespace {

int64_t number(const std::string& text, const std::string& what) {
  size_t used = 0;
  int64_t n = -1;
  try {
    n = std::stoll(text, &used);
  } catch (const std::exception&) {
  }
  if (n < 0 || used != text.size())
    throw Error(what + " must be a whole number of 0 or more, found '" + text + "'");
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

class Quantize : public Pass {
 public:
  std::string name() const override { return "quantize"; }
  std::string doc() const override { return "store large projections as Q8_0"; }
  std::vector<std::string> after() const override { return {"fuse-qkv", "fuse-gate-up"}; }
  bool exact() const override { return false; }
  std::vector<PassSetting> settings() const override {
    return {{"format", "q8_0 (default) or none"},
            {"min_dim", "quantise where max(in, out) reaches this; default 0, all"}};
  }

  bool run(Graph& g, PassContext& context) const override {
    const std::string format = context.setting("format", "q8_0");
    if (format != "q8_0" && format != "none")
      throw Error("quantize.format must be q8_0 or none, found '" + format + "'");
    const int64_t min_dim = number(context.setting("min_dim", "0"), "quantize.min_dim");
    int64_t quantised = 0;
    int64_t sources = 0;
    std::map<ValueId, ValueId> cache = quantised_already(g);
    for (OpId id : topo_order(g)) {
      const Op& op = g.op(id);
      if (op.def->shape != OpShape::contraction || g.type(op.operands[1]).dtype == DType::q8_0) continue;
      const int64_t parts = matrices(g, op) * static_cast<int64_t>(source_rows(g, op).size());
      sources += parts;
      const std::string kept = why_kept(g, op, format, context);
      const bool chosen = kept.empty() && reaches(g, op, min_dim);
      enter(g, op, kept, chosen, min_dim, context);
      if (!chosen) continue;
      quantised += parts;
      apply(g, id, cache);
      ++context.applications;
    }
    context.summary =
        "quantized " + std::to_string(quantised) + " of " + std::to_string(sources) + " projections to Q8_0";
    return context.applications > 0;
  }

 private:
  // What a graph (of another hand) holds in Q8_0 anyway.
  static std::map<ValueId, ValueId> quantised_already(const Graph& g) {
    std::map<ValueId, ValueId> out;
    for (OpId id : g.ops()) {
      if (g.op(id).def->name == "quantize") out.emplace(g.op(id).operands[0], g.result(id));
    }
    return out;
  }

  // The reason why a projection stays as it is whatever its size, or "".
  static std::string why_kept(const Graph& g, const Op& op, const std::string& format,
                              const PassContext& context) {
    const Type& x = g.type(op.operands[0]);
    if (format == "none") return "--quant=none";
    if (attr_string(op, "role") == "moe_router") return "a router keeps its precision";
    if (op.def->name == "linear" && x.rank() != 2) return "its input is " + x.str() + ", not rows";
    if (context.applications >= context.limit) return "--pass-limit";
    return "";
  }

  static bool reaches(const Graph& g, const Op& op, int64_t min_dim) {
    const int64_t cols = g.type(op.operands[1]).last();
    const std::vector<int64_t> rows = source_rows(g, op);
    return std::any_of(rows.begin(), rows.end(), [&](int64_t n) { return std::max(n, cols) >= min_dim; });
  }

  static void enter(const Graph& g, const Op& op, const std::string& reason, bool quantised, int64_t min_dim,
                    PassContext& context) {
    const Type& w = g.type(op.operands[1]);
    const std::vector<WeightRows> sources = weight_rows(g, op.operands[1]);
    std::vector<int64_t> all_rows;
    for (int64_t i = 0; i < matrices(g, op); ++i) {
      for (const int64_t rows : source_rows(g, op)) all_rows.push_back(rows);
    }
    int64_t first = 0;
    for (const int64_t rows : all_rows) {
      LedgerEntry e;
      e.sources = part_of(sources, first, rows);
      e.rows = rows;
      first += rows;
      e.cols = w.last();
      const int64_t own = std::max(e.rows, e.cols);
      e.rule = !reason.empty() ? reason
                               : "max(" + std::to_string(e.cols) + ", " + std::to_string(e.rows) + ")" +
                                     (own >= min_dim ? " >= " : " < ") + std::to_string(min_dim);
      if (reason.empty() && quantised != (own >= min_dim)) e.rule += ", follows the largest it is fused with";
      e.format = quantised ? "q8_0" : "f32";
      e.bytes_before = storage_bytes(w.dtype, e.rows * e.cols, e.cols);
      e.bytes_after = storage_bytes(quantised ? DType::q8_0 : DType::f32, e.rows * e.cols, e.cols);
      context.ledger.push_back(std::move(e));
    }
  }

  static ValueId quantised_value(Graph& g, ValueId v, const Op& user, std::map<ValueId, ValueId>& cache) {
    const auto it = cache.find(v);
    if (it != cache.end()) return it->second;
    const OpId q = g.add_op("quantize", {v}, {{"format", std::string("q8_0")}}, {g.value(v).name + ".q8"},
                            user.scope, user.loc);
    return cache[v] = g.result(q);
  }

  static void apply(Graph& g, OpId id, std::map<ValueId, ValueId>& cache) {
    const Op user = {g.op(id).def, {}, {}, {}, nullptr, g.op(id).scope, g.op(id).loc, false};
    const ValueId x = g.op(id).operands[0];
    const ValueId w = g.op(id).operands[1];
    g.set_operand(id, 0, quantised_value(g, x, user, cache));
    const ValueId qw = quantised_value(g, w, user, cache);
    g.set_operand(id, 1, qw);
    const std::vector<Use> uses = g.value(w).uses;
    for (const Use& u : uses) {
      if (g.op(u.op).def->name == "embedding") g.set_operand(u.op, u.operand, qw);
    }
  }
};

const RegisterPass kPass(std::make_unique<Quantize>());

}  // namespace
}  // namespace lmc
