#include "passes/sharding/ways.h"

#include <algorithm>

#include "ir/op_def.h"
#include "passes/sharding/mixture.h"

namespace lmc {
namespace {

// Rows of a weight are dealt out in so many where there are enough: what kernels work on together.
constexpr int64_t kRows = 16;

class Chooser {
 public:
  Chooser(const Graph& g, const ShardStrategy& strategy, int64_t ranks)
      : g_(g), strategy_(strategy), ranks_(ranks), constant_(weight_only(g)) {}

  Ways run() {
    for (ValueId v : g_.outputs()) {
      if (!is_kv(g_.type(v).dtype)) ways_.wanted[v].whole = true;
    }
    const std::vector<OpId> order = topo_order(g_);
    // Caches are returned, but each rank may return its own heads of one.
    for (auto id = order.rbegin(); id != order.rend(); ++id) {
      if (!constant_[g_.result(*id)]) choose(*id);
    }
    return std::move(ways_);
  }

 private:
  void choose(OpId id) {
    const Op& op = g_.op(id);
    bool whole = false, parts = false;
    for (ValueId r : op.results) {
      Wanted& w = ways_.wanted[r];
      if (g_.is_output(r) && is_kv(g_.type(r).dtype) && w.parts.empty()) w.whole = true;
      whole |= w.whole;
      parts |= !w.parts.empty();
    }
    if (!whole && !parts) return;
    ways_.of[id] = Way::whole;
    if (op.def->name == "linear" && g_.type(op.operands[0]).rank() == 2) {
      const ShardRule* rule = strategy_.rule(attr_string(op, "role"));
      if (rule && rule->split == Split::columns) return sum(id);
      if (rule && ranks_ > 1) return whole ? gather(id) : take_parts(id);
    }
    if (op.def->name == "embedding" && ranks_ > 1 && is_tokens(op.operands[0])) {
      if (strategy_.rule("embedding")) return look_up(id);
    }
    if (op.def->name == "weighted_sum" && strategy_.rule("experts")) {
      const Mixture mixture = mixture_of(g_, op);
      if (!mixture.ops.empty()) return mix(id, mixture);
    }
    if (!whole && parts && pass_on(id)) {
      ways_.of[id] = Way::parts;
      return;
    }
    want_operands(op);
  }

  bool is_tokens(ValueId v) const {
    return g_.value(v).kind == ValueKind::input && g_.value(v).name == "tokens";
  }

  void want_operands(const Op& op) {
    for (ValueId v : op.operands) ways_.wanted[v].whole = true;
  }

  void want(ValueId v, size_t rank, const Stretch& piece) {
    std::vector<Stretch>& parts = ways_.wanted[v].parts;
    parts.resize(static_cast<size_t>(ranks_));
    parts[rank] = hull(parts[rank], piece);
  }

  void remark(const Op& op, const std::string& why) {
    const std::string role = op.attrs.contains("role") ? attr_string(op, "role") : op.def->name;
    ways_.remarks.push_back(role + " %" + g_.value(op.results[0]).name + " is not split: " + why);
  }

  // k in virtual shards; each rank asks for the columns that it contracts.
  void sum(OpId id) {
    const Op& op = g_.op(id);
    const std::vector<Stretch> cuts = cut_columns(g_, op, ranks_);
    const auto shards = static_cast<int64_t>(cuts.size());
    const ValueId x = unrounded(g_, op.operands[0]);
    if (g_.type(x).dtype != DType::f32 || is_quantised(g_.type(unrounded(g_, op.operands[1])).dtype)) {
      remark(op, "what is quantised already has no columns that can be cut");
      return want_operands(op);
    }
    if (shards == 1) {
      if (ranks_ > 1) remark(op, "its " + std::to_string(cuts[0].end) + " columns are a single block");
      return want_operands(op);
    }
    ways_.of[id] = Way::summed;
    ways_.cuts[id] = cuts;
    if (ranks_ == 1 || shards < ranks_) {
      if (ranks_ > 1)
        remark(op, "its " + std::to_string(cuts.back().end) + " columns are " + std::to_string(shards) +
                       " blocks, fewer than ranks");
      ways_.wanted[x].whole = true;
      return;
    }
    const std::vector<Stretch> own = join_neighbours(cuts, shards / ranks_);
    for (size_t r = 0; r < own.size(); ++r) want(x, r, own[r]);
  }

  // Experts in virtual shards. What they read besides each other, routing and all, every rank has.
  void mix(OpId id, const Mixture& mixture) {
    const Op& op = g_.op(id);
    const std::vector<Stretch> cuts = cut_experts(mixture, ranks_);
    const auto shards = static_cast<int64_t>(cuts.size());
    const std::string many = "its " + std::to_string(mixture.experts) + " experts are " +
                             std::to_string(shards) + " shards, fewer than ranks";
    if (!mixture.why.empty() || shards == 1) {
      if (ranks_ > 1) remark(op, mixture.why.empty() ? many : mixture.why);
      return want_operands(op);
    }
    if (shards < ranks_) remark(op, many);
    ways_.of[id] = Way::mixed;
    ways_.cuts[id] = cuts;
    ways_.wanted[mixture.ids].whole = true;
    ways_.wanted[op.operands[1]].whole = true;
    for (OpId inner : mixture.ops) {
      for (ValueId v : g_.op(inner).operands) {
        const Value& from = g_.value(v);
        const bool inside = from.kind == ValueKind::result &&
                            std::find(mixture.ops.begin(), mixture.ops.end(), from.def) != mixture.ops.end();
        if (!inside && !constant_[v]) ways_.wanted[v].whole = true;
      }
    }
  }

  // Rows, of which all ranks want all.
  void gather(OpId id) {
    const Op& op = g_.op(id);
    want_operands(op);
    const int64_t rows = g_.type(op.operands[1]).dims[0];
    if (rows < ranks_) return remark(op, "it has fewer rows than there are ranks");
    ways_.of[id] = Way::gathered;
    ways_.cuts[id] = cut_evenly(rows, rows >= kRows * ranks_ ? kRows : 1, ranks_);
  }

  // The ranks add up what each finds in its part of the table.
  void look_up(OpId id) {
    gather(id);
    if (ways_.of[id] == Way::gathered) ways_.of[id] = Way::summed;
  }

  void take_parts(OpId id) {
    ways_.of[id] = Way::parts;
    ways_.wanted[g_.op(id).operands[0]].whole = true;
  }

  // Asks the operands for what the parts of the results are made of. False if they cannot be made of parts.
  bool pass_on(OpId id) {
    const Op& op = g_.op(id);
    const std::string& name = op.def->name;
    if (name == "split") return of_heads(op) ? pass_on_heads(op) : pass_on_split(op);
    if (name == "join" && of_heads(op)) return pass_on_heads(op);
    if (name == "attention") return pass_on_attention(op);
    const ValueId y = op.results[0];
    const std::vector<Stretch> parts = ways_.wanted[y].parts;
    const Type& type = g_.type(y);
    if (name == "reshape") return pass_on_reshape(op);
    if (name == "kv_append") {
      for (size_t r = 0; r < parts.size(); ++r) {
        for (const size_t o : {size_t{1}, size_t{2}}) want(op.operands[o], r, parts[r]);
      }
      ways_.wanted[op.operands[3]].whole = true;
      return true;
    }
    const bool by_heads = type.rank() == 3 && (name == "rope" || name == "rms_norm" || name == "layer_norm" ||
                                               name == "quantize");
    if (!by_heads && op.def->category != OpCategory::elementwise) return false;
    for (ValueId v : op.operands) {
      if (constant_[v]) continue;
      const bool same = g_.type(v).dims == type.dims;
      if (!same) ways_.wanted[v].whole = true;
      for (size_t r = 0; same && r < parts.size(); ++r) want(v, r, parts[r]);
    }
    return true;
  }

  bool pass_on_reshape(const Op& op) {
    const Type& x = g_.type(op.operands[0]);
    const Type& y = g_.type(op.results[0]);
    const std::vector<Stretch> parts = ways_.wanted[op.results[0]].parts;
    if (x.rank() == 2 && y.rank() == 3) {
      for (size_t r = 0; r < parts.size(); ++r)
        want(op.operands[0], r, {parts[r].first * y.last(), parts[r].end * y.last()});
      return true;
    }
    if (x.rank() == 3 && y.rank() == 2) {
      for (size_t r = 0; r < parts.size(); ++r) want(op.operands[0], r, heads_of(parts[r], x.last()));
      return true;
    }
    return false;
  }

  bool of_heads(const Op& op) const { return g_.type(op.results[0]).rank() == 3; }

  // Parts of each head, taken apart or put together; what all heads have is wanted whole.
  bool pass_on_heads(const Op& op) {
    for (ValueId y : op.results) {
      const std::vector<Stretch> parts = ways_.wanted[y].parts;
      for (ValueId v : op.operands) {
        const bool own = same_heads(g_.type(v), g_.type(y));
        if (!own) ways_.wanted[v].whole = true;
        for (size_t r = 0; own && r < parts.size(); ++r) want(v, r, parts[r]);
      }
    }
    return true;
  }

  // Of a projection of several: its rows are chosen from what the ranks need of each.
  bool pass_on_split(const Op& op) {
    const Op* linear = g_.def_op(op.operands[0]);
    if (!linear || linear->def->name != "linear" || only_split(g_, *linear) != &op) return false;
    const ShardRule* rule = strategy_.rule(attr_string(*linear, "role"));
    if (!rule || rule->split != Split::rows) return false;
    if (g_.type(linear->operands[0]).rank() != 2) return false;
    for (int64_t r = 0; r < ranks_; ++r) want(op.operands[0], static_cast<size_t>(r), {0, 1});
    return true;
  }

  bool pass_on_attention(const Op& op) {
    const ValueId kv = op.operands[1];
    const Op* append = g_.def_op(kv);
    const bool own = append && append->def->name == "kv_append" && g_.value(kv).uses.size() == 1 &&
                     g_.value(append->operands[0]).kind == ValueKind::input &&
                     g_.value(append->operands[0]).uses.size() == 1;
    if (!own || attr_real(op, "alibi") != 0) return false;  // slopes go by the number of a head among all
    const std::vector<Stretch> parts = ways_.wanted[op.results[0]].parts;
    for (size_t r = 0; r < parts.size(); ++r) {
      const HeadPieces pieces = head_pieces(g_, op, parts[r]);
      want(op.operands[0], r, pieces.heads);
      want(kv, r, pieces.kv_heads);
    }
    ways_.wanted[op.operands[2]].whole = true;
    return true;
  }

  const Graph& g_;
  const ShardStrategy& strategy_;
  const int64_t ranks_;
  const SideTable<ValueId, char> constant_;
  Ways ways_;
};

}  // namespace

Ways choose_ways(const Graph& g, const ShardStrategy& strategy, int64_t ranks) {
  return Chooser(g, strategy, ranks).run();
}

const Op* only_split(const Graph& g, const Op& linear) {
  const Value& y = g.value(linear.results[0]);
  if (y.uses.size() != 1 || y.returned > 0) return nullptr;
  const Op& user = g.op(y.uses[0].op);
  return user.def->name == "split" ? &user : nullptr;
}

ValueId unrounded(const Graph& g, ValueId x) {
  const Op* op = g.def_op(x);
  return op && op->def->name == "quantize" ? op->operands[0] : x;
}

bool same_heads(const Type& a, const Type& b) {
  return a.rank() == 3 && b.rank() == 3 && a.dims[1] == b.dims[1];
}

HeadPieces head_pieces(const Graph& g, const Op& attention, const Stretch& columns) {
  const CacheShape cache = cache_shape(g.type(attention.operands[1]));
  const int64_t group = g.type(attention.operands[0]).dims[1] / cache.heads;
  Stretch heads = heads_of(columns, cache.value);
  const Stretch kv_heads = heads_of(heads, group);
  if (kv_heads.size() > 1) heads = {kv_heads.first * group, kv_heads.end * group};
  return {heads, kv_heads};
}

Stretch heads_of(const Stretch& columns, int64_t dim) {
  return {columns.first / dim, (columns.end + dim - 1) / dim};
}

int64_t length_of(const Type& t) { return t.rank() >= 3 ? t.dims[1] : t.last(); }

}  // namespace lmc
