// Deals a model out to the ranks that will run it together, by rules (sharding/rules.h). The result is the
// graph of all ranks at once: what each computes stands beside the others', so that the evaluator runs them
// together; rank_graph() (sharding/rank_graph.h) takes one rank's out of it.
//
//   %h = linear(%x, @up) {role=ffn_up}         →   %h0 = linear(%x, slice(@up)) …     its rows, on rank 0
//   %y = linear(%h, @down) {role=ffn_down}         %h1 = linear(%x, slice(@up)) …     … and on rank 1
//                                                  %y0 = reduce(linear(…), …)         virtual shards of rank
//                                                  0 %y1 = reduce(linear(…), …) %g = all_gather(%y0, %y1)
//                                                  {sizes=[64,64]} %y = reduce(split(%g))
//
// Whatever contracts what others have made parts of is summed over 8 virtual shards in one order, on one rank
// too, so that the bits do not depend on how many there are.
#include <algorithm>
#include <bit>
#include <charconv>
#include <numeric>

#include "ir/op_def.h"
#include "ir/pass.h"
#include "passes/sharding/cutter.h"
#include "passes/sharding/deal_layers.h"
#include "passes/sharding/mixture.h"
#include "passes/sharding/ways.h"

namespace lmc::passes::shard {
namespace {

// What one rank has of a value.
struct Made {
  ValueId value;
  Stretch piece;  // of the whole
};

class Sharder {
 public:
  Sharder(Graph& g, const ShardStrategy& strategy, int64_t ranks)
      : g_(g), ranks_(ranks), ways_(choose_ways(g, strategy, ranks)), constant_(weight_only(g)), cut_(g) {}

  bool run() {
    for (OpId id : topo_order(g_)) {
      cut_.set_scope(g_.op(id).scope);
      switch (ways_.of[id]) {
        case Way::parts:
          make_parts(id);
          break;
        case Way::gathered:
          gather(id);
          break;
        case Way::summed:
          g_.op(id).def->name == "embedding" ? look_up(id) : sum(id);
          break;
        case Way::mixed:
          mix(id);
          break;
        default:
          break;
      }
    }
    if (gathered_ + summed_ == 0) return false;
    return_caches();
    g_.remove_dead();
    g_ = g_.clone();  // in an order that shows who computes what
    return true;
  }

  std::string summary() const {
    return "dealt out to " + std::to_string(ranks_) + (ranks_ == 1 ? " rank: " : " ranks: ") +
           std::to_string(by_rows_) + " projections by rows, " + std::to_string(summed_) +
           " sums of parts, " + std::to_string(collectives_) + " collectives";
  }
  const std::vector<std::string>& remarks() const { return ways_.remarks; }

 private:
  std::vector<Stretch> wanted(ValueId v) const { return ways_.wanted[v].parts; }

  ValueId add(OpId like, const std::string& op, std::vector<ValueId> operands, AttrMap attrs,
              const std::string& name) {
    const std::string scope = g_.op(like).scope;
    const Location loc = g_.op(like).loc;
    return g_.result(g_.add_op(op, std::move(operands), std::move(attrs), {name}, scope, loc));
  }

  // What `rank` has of `piece` of a value.
  ValueId take(ValueId v, size_t rank, const Stretch& piece) {
    const auto made = made_.find(v);
    if (made == made_.end()) return cut_.narrowed(v, piece);
    const Made& m = made->second[rank];
    return cut_.narrowed(m.value, {piece.first - m.piece.first, piece.end - m.piece.first});
  }

  std::string name_of(ValueId v, size_t rank) const { return g_.value(v).name + ".r" + std::to_string(rank); }

  void make_parts(OpId id) {
    const std::string name = g_.op(id).def->name;
    if (name == "split") {
      if (g_.type(g_.result(id)).rank() == 3) split_heads(id);
      return;  // else made with its projection
    }
    if (name == "linear") {
      ++by_rows_;
      for (size_t r = 0; r < static_cast<size_t>(ranks_); ++r) project(id, r);
      return;
    }
    const ValueId y = g_.result(id);
    std::vector<Made>& made = made_[y];
    const std::vector<Stretch> pieces = wanted(y);
    for (size_t r = 0; r < pieces.size(); ++r)
      made.push_back(pieces[r].empty() ? Made{} : make_part(id, r, pieces[r]));
  }

  // Each result of some heads is split off those that its rank has.
  void split_heads(OpId id) {
    const std::vector<ValueId> results = g_.op(id).results;
    const ValueId x = g_.op(id).operands[0];
    const AttrMap attrs = g_.op(id).attrs;
    const std::string scope = g_.op(id).scope;
    for (size_t i = 0; i < results.size(); ++i) {
      const std::vector<Stretch> pieces = wanted(results[i]);
      for (size_t r = 0; r < pieces.size(); ++r) {
        Made made;
        if (!pieces[r].empty()) {
          const OpId part = g_.add_op("split", {take(x, r, pieces[r])}, attrs, {}, scope);
          made = {g_.result(part, i), pieces[r]};
        }
        made_[results[i]].push_back(made);
      }
    }
  }

  Made make_part(OpId id, size_t rank, const Stretch& piece) {
    const std::string op = g_.op(id).def->name;
    const AttrMap attrs = g_.op(id).attrs;
    std::vector<ValueId> operands = g_.op(id).operands;
    const ValueId y = g_.result(id);
    const std::string name = name_of(y, rank);
    const Type type = g_.type(y);
    if (op == "reshape") {
      const Type x = g_.type(operands[0]);
      const int64_t dim = std::max(x.rank() == 3 ? x.last() : 0, type.rank() == 3 ? type.last() : 0);
      const Stretch heads = type.rank() == 3 ? piece : heads_of(piece, dim);
      const Stretch columns{heads.first * dim, heads.end * dim};
      const std::vector<int64_t> shape =
          type.rank() == 3 ? std::vector<int64_t>{heads.size(), dim} : std::vector<int64_t>{columns.size()};
      const ValueId part = take(operands[0], rank, type.rank() == 3 ? columns : heads);
      return {add(id, op, {part}, {{"shape", shape}}, name), type.rank() == 3 ? heads : columns};
    }
    if (op == "attention") {
      const auto [heads, kv_heads] = head_pieces(g_, g_.op(id), piece);
      const int64_t dim = cache_shape(g_.type(operands[1])).value;
      operands[0] = take(operands[0], rank, heads);
      operands[1] = take(operands[1], rank, kv_heads);
      if (operands.size() > 3) operands[3] = cut_.weight(operands[3], 0, {heads});
      return {add(id, op, operands, attrs, name), {heads.first * dim, heads.end * dim}};
    }
    if (op == "kv_append") {
      // A cache of its own, even where others hold the same heads.
      operands[0] = add(id, "slice", {operands[0]},
                        {{"axis", int64_t{1}}, {"start", piece.first}, {"size", piece.size()}},
                        name_of(operands[0], rank));
      for (const size_t o : {size_t{1}, size_t{2}}) operands[o] = take(operands[o], rank, piece);
      return {add(id, op, operands, attrs, name), piece};
    }
    for (ValueId& v : operands) {
      if (constant_[v]) {
        if (type.rank() == 2) v = cut_.weight(v, 0, {piece});  // a vector, repeated over the rows
      } else if (g_.type(v).dims == type.dims || same_heads(g_.type(v), type)) {
        v = take(v, rank, piece);
      }
    }
    return {add(id, op, operands, attrs, name), piece};
  }

  // The rows of a projection that a rank needs; of several in one, those of each.
  void project(OpId id, size_t rank) {
    const Op* split = only_split(g_, g_.op(id));
    std::vector<ValueId> results{g_.result(id)};
    std::vector<int64_t> sizes{g_.type(g_.result(id)).last()};
    if (split && made_only_in_parts(*split)) {
      results = split->results;
      sizes = attr_ints(*split, "sizes");
    }
    std::vector<Stretch> rows;
    std::vector<ValueId> there;
    int64_t first = 0;
    for (size_t i = 0; i < results.size(); ++i) {
      std::vector<Made>& made = made_[results[i]];
      made.resize(static_cast<size_t>(ranks_));
      const std::vector<Stretch> pieces = wanted(results[i]);
      if (!pieces.empty() && !pieces[rank].empty()) {
        made[rank].piece = pieces[rank];
        rows.push_back({first + pieces[rank].first, first + pieces[rank].end});
        there.push_back(results[i]);
      }
      first += sizes[i];
    }
    if (there.empty()) return;
    const ValueId y = projected(id, rank, rows);
    std::vector<Stretch> cuts;
    first = 0;
    for (const Stretch& p : rows) {
      cuts.push_back({first, first + p.size()});
      first += p.size();
    }
    const std::vector<ValueId> parts = cut_.pieces(y, cuts);
    for (size_t i = 0; i < there.size(); ++i) made_[there[i]][rank].value = parts[i];
  }

  bool made_only_in_parts(const Op& split) const {
    return ways_.of[g_.value(split.results[0]).def] == Way::parts;
  }

  ValueId projected(OpId id, size_t rank, const std::vector<Stretch>& rows) {
    std::vector<ValueId> operands = g_.op(id).operands;
    for (size_t o = 1; o < operands.size(); ++o) operands[o] = cut_.weight(operands[o], 0, rows);
    return add(id, "linear", operands, g_.op(id).attrs, name_of(g_.result(id), rank));
  }

  void replace(OpId id, ValueId by) {
    const std::string name = g_.value(g_.result(id)).name;
    g_.replace_all_uses(g_.result(id), by);
    g_.rename(g_.result(id), name + ".whole");
    g_.rename(by, name);
  }

  void gather(OpId id) {
    ++gathered_;
    ++by_rows_;
    const std::vector<Stretch> cuts = ways_.cuts[id];
    std::vector<ValueId> parts;
    for (size_t r = 0; r < cuts.size(); ++r) parts.push_back(projected(id, r, {cuts[r]}));
    // What the graph returns is for rank 0: the others need not know which token comes next.
    const Value& y = g_.value(g_.result(id));
    const bool only_returned = y.uses.empty() && y.returned > 0 && ranks_ > 1;
    replace(id, all_gather(id, parts, only_returned ? std::vector<int64_t>{0} : std::vector<int64_t>()));
  }

  ValueId all_gather(OpId like, const std::vector<ValueId>& parts, const std::vector<int64_t>& to = {}) {
    ++collectives_;
    std::vector<int64_t> sizes;
    for (ValueId v : parts) sizes.push_back(g_.type(v).last());
    return add(like, "all_gather", parts, {{"sizes", sizes}, {"to", to}},
               g_.value(g_.result(like)).name + ".all");
  }

  // All ranks' parts of a sum, everywhere, added.
  ValueId all_reduce(OpId like, const std::vector<ValueId>& parts) {
    const ValueId all = all_gather(like, parts);
    const int64_t length = g_.type(parts[0]).last();
    return reduce(like, cut_.pieces(all, cut_evenly(g_.type(all).last(), length, ranks_)));
  }

  ValueId reduce(OpId like, const std::vector<ValueId>& parts) {
    return parts.size() == 1 ? parts[0]
                             : add(like, "reduce", parts, {}, g_.value(g_.result(like)).name + ".sum");
  }

  void sum(OpId id) {
    ++summed_;
    const std::vector<Stretch> cuts = ways_.cuts[id];
    const ValueId x = unrounded(g_, g_.op(id).operands[0]);
    const bool shared = static_cast<int64_t>(cuts.size()) >= ranks_;
    const size_t places = shared ? static_cast<size_t>(ranks_) : 1;
    const size_t each = cuts.size() / places;
    std::vector<ValueId> sums;
    for (size_t r = 0; r < places; ++r) {
      const std::vector<Stretch> own(cuts.begin() + static_cast<ptrdiff_t>(r * each),
                                     cuts.begin() + static_cast<ptrdiff_t>((r + 1) * each));
      sums.push_back(sum_of(id, x, r, own));
    }
    ValueId y = places == 1 ? sums[0] : all_reduce(id, sums);
    const std::vector<ValueId> operands = g_.op(id).operands;
    if (operands.size() > 2) y = add(id, "add", {y, operands[2]}, {}, g_.value(g_.result(id)).name);
    replace(id, y);
  }

  // The virtual shards of one rank.
  ValueId sum_of(OpId id, ValueId x, size_t rank, const std::vector<Stretch>& shards) {
    const Op& op = g_.op(id);
    const ValueId rounded = op.operands[0];
    const ValueId weight = op.operands[1];
    const std::string name = name_of(op.results[0], rank);
    const AttrMap attrs = op.attrs;
    const AttrMap format = rounded == x ? AttrMap() : g_.def_op(rounded)->attrs;
    const Stretch all{shards.front().first, shards.back().end};
    std::vector<Stretch> inside;
    for (const Stretch& p : shards) inside.push_back({p.first - all.first, p.end - all.first});
    const std::vector<ValueId> columns = cut_.pieces(take(x, rank, all), inside);
    std::vector<ValueId> parts;
    for (size_t s = 0; s < shards.size(); ++s) {
      ValueId part = columns[s];
      if (rounded != x) part = add(id, "quantize", {part}, format, g_.value(part).name + ".q8");
      parts.push_back(add(id, "linear", {part, cut_.weight(weight, 1, {shards[s]})}, attrs, name));
    }
    return reduce(id, parts);
  }

  // Each rank's experts add up what they make themselves.
  void mix(OpId id) {
    ++summed_;
    const Mixture mixture = mixture_of(g_, g_.op(id));
    const std::vector<Stretch> shards = ways_.cuts[id];
    const size_t places = static_cast<int64_t>(shards.size()) >= ranks_ ? static_cast<size_t>(ranks_) : 1;
    const size_t each = shards.size() / places;
    std::vector<ValueId> sums;
    for (size_t r = 0; r < places; ++r) {
      std::vector<int64_t> borders = {shards[r * each].first};
      for (size_t s = 0; s < each; ++s) borders.push_back(shards[r * each + s].end);
      sums.push_back(mixed(id, mixture, r, borders));
    }
    replace(id, places == 1 ? sums[0] : all_reduce(id, sums));
  }

  // By the experts between these borders.
  ValueId mixed(OpId id, const Mixture& mixture, size_t rank, const std::vector<int64_t>& borders) {
    const Stretch experts{borders.front(), borders.back()};
    const bool all = experts.size() == mixture.experts;
    std::map<ValueId, ValueId> made;
    const auto here = [&](ValueId v) { return made.contains(v) ? made.at(v) : v; };
    for (OpId inner : mixture.ops) {
      const OpDef& def = *g_.op(inner).def;
      const std::vector<ValueId> results = g_.op(inner).results;
      std::vector<ValueId> operands = g_.op(inner).operands;
      std::transform(operands.begin(), operands.end(), operands.begin(), here);
      AttrMap attrs = g_.op(inner).attrs;
      if (def.name == "linear_experts" && !all) {
        for (size_t o = 1; o < operands.size(); ++o) {  // weight and bias, but not ids
          if (o != 2) operands[o] = cut_.weight(operands[o], 0, {experts});
        }
        attrs["first"] = experts.first;
        attrs["of"] = mixture.experts;
      }
      std::vector<std::string> names;
      for (ValueId v : results) names.push_back(name_of(v, rank));
      const OpId part = g_.add_op(def, operands, attrs, names, g_.op(inner).scope, g_.op(inner).loc);
      for (size_t i = 0; i < results.size(); ++i) made[results[i]] = g_.result(part, i);
    }
    const std::vector<ValueId> sum = g_.op(id).operands;
    return add(id, "weighted_sum", {here(sum[0]), sum[1], mixture.ids},
               {{"borders", borders}, {"of", mixture.experts}}, name_of(g_.result(id), rank));
  }

  // Rows of a table: who does not have one adds nothing.
  void look_up(OpId id) {
    ++summed_;
    const std::vector<ValueId> operands = g_.op(id).operands;
    const std::vector<Stretch> cuts = ways_.cuts[id];
    std::vector<ValueId> parts;
    for (size_t r = 0; r < cuts.size(); ++r) {
      parts.push_back(add(id, "embedding", {operands[0], cut_.weight(operands[1], 0, {cuts[r]})},
                          {{"first", cuts[r].first}, {"of", cuts.back().end}}, name_of(g_.result(id), r)));
    }
    replace(id, all_reduce(id, parts));
  }

  // Each rank's, in the place of the whole.
  void return_caches() {
    std::vector<ValueId> outputs;
    for (ValueId v : g_.outputs()) {
      const auto made = made_.find(v);
      if (made == made_.end()) {
        outputs.push_back(v);
        continue;
      }
      for (const Made& m : made->second) {
        if (m.value.valid()) outputs.push_back(m.value);
      }
    }
    g_.set_outputs(outputs);
  }

  Graph& g_;
  const int64_t ranks_;
  const Ways ways_;
  const SideTable<ValueId, char> constant_;
  Cutter cut_;
  std::map<ValueId, std::vector<Made>> made_;  // by rank
  int64_t by_rows_ = 0, gathered_ = 0, summed_ = 0, collectives_ = 0;
};

constexpr int64_t kMostRanks = 64;

int64_t ranks_of(const std::string& text) {
  int64_t n = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), n);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || n < 1 || n > kMostRanks ||
      !std::has_single_bit(static_cast<uint64_t>(n)))
    throw Error("shard.ranks must be 1, 2, 4, 8, 16, 32 or 64, found '" + text + "'");
  return n;
}

bool sharded(const Graph& g) {
  const std::vector<OpId> ops = g.ops();
  return std::any_of(ops.begin(), ops.end(), [&](OpId id) {
    return g.op(id).def->name == "all_gather" || g.op(id).def->name == "reduce";
  });
}

class Shard : public Pass {
 public:
  std::string name() const override { return "shard"; }
  std::string doc() const override { return "deal the model out to several ranks"; }
  std::vector<std::string> after() const override { return {"fold-weights", "quantize", "kv-format"}; }
  std::vector<std::string> before() const override {
    return {"fuse-up-act", "fuse-down-act", "fuse-softcap", "fuse-attention-out"};
  }
  bool standard() const override { return false; }
  // Each rank has caches of its own.
  bool compares_caches() const override { return false; }
  std::vector<PassSetting> settings() const override {
    return {{"ranks", "how many: 1 (default), 2, 4, 8; 16, 32 and 64 give other bits"},
            {"rules", "how: tensor (default) or layers"}};
  }
  std::string example() const override {
    return R"(graph @example (%x: f32[T,16]) {
  weight @up : f32[32,16]
  weight @down : f32[16,32]
  %h = linear(%x, @up) {role=ffn_up}
  %a = silu(%h)
  %y = linear(%a, @down) {role=ffn_down}
  return %y
})";
  }

  bool run(Graph& g, PassContext& context) const override {
    const int64_t ranks = ranks_of(context.setting("ranks", "1"));
    const ShardStrategy& strategy = find_shard_strategy(context.setting("rules", "tensor"));
    if (context.limit < 1 || sharded(g)) return false;
    if (strategy.by_layers()) {
      const LayersDealt dealt = deal_layers(g, ranks);
      context.applications = dealt.changed ? 1 : 0;
      context.summary = dealt.summary;
      return dealt.changed;
    }
    Sharder sharder(g, strategy, ranks);
    context.applications = sharder.run() ? 1 : 0;
    context.remarks = sharder.remarks();
    context.summary = sharder.summary();
    return context.applications > 0;
  }
};

const RegisterPass kPass(std::make_unique<Shard>());

}  // namespace
}  // namespace lmc::passes::shard
