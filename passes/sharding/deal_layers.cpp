#include "passes/sharding/deal_layers.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <vector>

#include "ir/error.h"
#include "ir/op_def.h"
#include "ir/sections.h"

namespace lmc {
namespace {

constexpr int64_t kNobody = -1;  // whoever reads it computes it

// The first layer of each part: so many parts of neighbours that the largest is as small as can be.
std::vector<size_t> cut_by_weight(const std::vector<double>& weights, size_t parts) {
  const size_t n = weights.size();
  std::vector<double> before(n + 1);
  for (size_t i = 0; i < n; ++i) before[i + 1] = before[i] + weights[i];
  // least[p][i]: the largest part, of i layers in p parts; from[p][i]: where the last of them begins.
  std::vector least(parts + 1, std::vector<double>(n + 1, std::numeric_limits<double>::infinity()));
  std::vector from(parts + 1, std::vector<size_t>(n + 1));
  least[0][0] = 0;
  for (size_t p = 1; p <= parts; ++p) {
    for (size_t i = p; i <= n; ++i) {
      for (size_t j = p - 1; j < i; ++j) {
        const double largest = std::max(least[p - 1][j], before[i] - before[j]);
        if (largest >= least[p][i]) continue;
        least[p][i] = largest;
        from[p][i] = j;
      }
    }
  }
  std::vector<size_t> out(parts);
  for (size_t p = parts, end = n; p > 0; --p) out[p - 1] = end = from[p][end];
  return out;
}

class Dealer {
 public:
  Dealer(Graph& g, int64_t ranks)
      : g_(g),
        ranks_(ranks),
        order_(topo_order(g)),
        constant_(weight_only(g)),
        rank_(g.num_op_ids(), kNobody) {}

  LayersDealt run() {
    place();
    choose_layers();
    for (OpId id : order_) send(id);
    return_to_rank_0();
    g_ = g_.clone();  // in an order that shows who computes what
    std::string counts;
    for (size_t r = 0; r < first_layer_.size(); ++r) {
      const size_t end = r + 1 < first_layer_.size() ? first_layer_[r + 1] : layers_.size();
      counts += (counts.empty() ? "" : ", ") + std::to_string(end - first_layer_[r]);
    }
    return {true, "dealt out to " + std::to_string(ranks_) + " ranks: " + counts + " layers, " +
                      std::to_string(sent_) + " messages a step"};
  }

 private:
  // In front of the layers, in one of them, or behind.
  struct Place {
    enum class Where : uint8_t { nowhere, front, layer, behind } where = Where::nowhere;
    size_t layer = 0;  // into layers_
  };

  bool is_tokens(ValueId v) const {
    return g_.value(v).kind == ValueKind::input && g_.value(v).name == "tokens";
  }

  void place() {
    places_ = SideTable<OpId, Place>(g_.num_op_ids());
    std::set<int64_t> numbers;
    for (OpId id : order_) {
      if (const int64_t n = part_of_scope(g_.op(id).scope).index; n >= 0 && !constant_[g_.result(id)])
        numbers.insert(n);
    }
    layers_.assign(numbers.begin(), numbers.end());
    if (static_cast<int64_t>(layers_.size()) < ranks_)
      throw Error("there are " + std::to_string(layers_.size()) + " layers, fewer than the " +
                  std::to_string(ranks_) + " ranks that they are dealt out to");
    for (OpId id : order_) {
      if (!constant_[g_.result(id)]) places_[id] = place_of(id);
    }
  }

  Place place_of(OpId id) const {
    const Op& op = g_.op(id);
    Place out;
    for (ValueId v : op.operands) {
      if (is_tokens(v)) out.where = std::max(out.where, Place::Where::front);
      if (g_.value(v).kind != ValueKind::result || constant_[v]) continue;
      const Place& from = places_[g_.value(v).def];
      const bool in_layer = from.where == Place::Where::layer;
      out.where = std::max(out.where, in_layer ? Place::Where::behind : from.where);
    }
    const int64_t number = part_of_scope(op.scope).index;
    if (number < 0 || out.where == Place::Where::nowhere) return out;
    const auto at = std::lower_bound(layers_.begin(), layers_.end(), number);
    return {Place::Where::layer, static_cast<size_t>(at - layers_.begin())};
  }

  void choose_layers() {
    std::vector<double> bytes(layers_.size());
    for (OpId id : order_) {
      const Place& p = places_[id];
      if (p.where == Place::Where::nowhere) continue;
      const double own = op_cost(g_, id).weight_bytes;
      if (p.where == Place::Where::front) bytes.front() += own;
      if (p.where == Place::Where::layer) bytes[p.layer] += own;
      if (p.where == Place::Where::behind) bytes.back() += own;
    }
    first_layer_ = cut_by_weight(bytes, static_cast<size_t>(ranks_));
    for (OpId id : order_) {
      const Place& p = places_[id];
      if (p.where == Place::Where::front) rank_[id] = 0;
      if (p.where == Place::Where::behind) rank_[id] = ranks_ - 1;
      if (p.where == Place::Where::layer)
        rank_[id] =
            std::upper_bound(first_layer_.begin(), first_layer_.end(), p.layer) - first_layer_.begin() - 1;
    }
  }

  // To the ranks that read what this op makes.
  void send(OpId id) {
    const int64_t from = rank_[id];
    if (from == kNobody) return;
    const std::vector<ValueId> results = g_.op(id).results;
    for (ValueId v : results) {
      std::map<int64_t, std::vector<Use>> readers;
      for (const Use& use : g_.value(v).uses) {
        const int64_t to = rank_[use.op];
        if (to != from && to != kNobody) readers[to].push_back(use);
      }
      for (const auto& [to, uses] : readers) {
        const ValueId there = sent(v, from, to);
        for (const Use& use : uses) g_.set_operand(use.op, use.operand, there);
      }
    }
  }

  ValueId sent(ValueId v, int64_t from, int64_t to) {
    const Op& op = *g_.def_op(v);
    const Type& type = g_.type(v);
    if (type.dtype != DType::f32 || type.rank() != 2 || to < from)
      throw Error(op.loc, "%" + g_.value(v).name + ", " + type.str() + ", would go from rank " +
                              std::to_string(from) + " to " + std::to_string(to) +
                              ": only rows of f32 go from layers to later ones");
    if (!senders_.insert(from).second)
      throw Error(op.loc, "%" + g_.value(v).name + " would be the second value that rank " +
                              std::to_string(from) + " sends: only one can go from layer to layer");
    return all_gather(v, from, to);
  }

  ValueId all_gather(ValueId v, int64_t from, int64_t to) {
    ++sent_;
    std::vector<int64_t> sizes(static_cast<size_t>(ranks_));
    sizes[static_cast<size_t>(from)] = g_.type(v).last();
    const std::string name = g_.value(v).name + ".to" + std::to_string(to);
    const std::string scope = g_.def_op(v)->scope;
    const OpId id = g_.add_op("all_gather", {v}, {{"sizes", sizes}, {"to", std::vector<int64_t>{to}}}, {name},
                              scope, g_.def_op(v)->loc);
    return g_.result(id);
  }

  void return_to_rank_0() {
    std::vector<ValueId> outputs = g_.outputs();
    for (ValueId& v : outputs) {
      if (is_kv(g_.type(v).dtype) || !g_.def_op(v)) continue;
      const int64_t from = rank_[g_.value(v).def];
      if (from > 0) v = all_gather(v, from, 0);
    }
    g_.set_outputs(outputs);
  }

  Graph& g_;
  const int64_t ranks_;
  const std::vector<OpId> order_;
  const SideTable<ValueId, char> constant_;
  std::vector<int64_t> layers_;  // their numbers, ascending
  SideTable<OpId, Place> places_;
  SideTable<OpId, int64_t> rank_;    // of ops of the original graph; kNobody: of those who need it
  std::vector<size_t> first_layer_;  // by rank, into layers_
  std::set<int64_t> senders_;
  int64_t sent_ = 0;
};

}  // namespace

LayersDealt deal_layers(Graph& g, int64_t ranks) {
  if (ranks == 1) return {false, "one rank has all layers"};
  return Dealer(g, ranks).run();
}

}  // namespace lmc
