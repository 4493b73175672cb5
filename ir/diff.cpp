#include "ir/diff.h"

#include <algorithm>
#include <map>

#include "ir/diff_match.h"
#include "ir/op_def.h"

namespace lmc {
namespace {

std::string shown(const Graph& g, ValueId v) {
  return (g.value(v).kind == ValueKind::weight ? "@" : "%") + g.value(v).name;
}

class Differ {
 public:
  // `by_position`: inputs are known by position and not by name, as those of a group's body.
  Differ(const Graph& a, const Graph& b, bool by_position) : a_(a), b_(b), by_position_(by_position) {}

  GraphDiff run() {
    ValueNumbers numbers;
    a_numbers_ = numbers.number(a_, by_position_);
    b_numbers_ = numbers.number(b_, by_position_);
    OpPairs pairs = match_ops(a_, b_, a_numbers_, b_numbers_);
    d_.to_after = std::move(pairs.to_after);
    d_.to_before = std::move(pairs.to_before);
    pair_values();
    inputs();
    weights();
    for (OpId id : topo_order(a_)) {
      if (!d_.to_after[id].valid()) d_.ops.push_back({ChangeKind::removed, id, {}, {}, nullptr});
    }
    for (OpId id : topo_order(b_)) {
      if (!d_.to_before[id].valid()) d_.ops.push_back({ChangeKind::added, {}, id, {}, nullptr});
    }
    for (OpId id : topo_order(b_)) {
      if (d_.to_before[id].valid()) compare(d_.to_before[id], id);
    }
    outputs();
    return std::move(d_);
  }

 private:
  void pair(ValueId a, ValueId b) {
    d_.value_to_after[a] = b;
    d_.value_to_before[b] = a;
  }

  bool open(ValueId a, ValueId b) const {
    return !d_.value_to_after[a].valid() && !d_.value_to_before[b].valid();
  }

  void pair_values() {
    pair_inputs();
    for (ValueId w : a_.weights()) {
      if (const ValueId other = b_.find_weight(a_.value(w).name); other.valid()) pair(w, other);
    }
    std::vector<std::pair<OpId, OpId>> pairs;
    for (OpId id : topo_order(a_)) {
      if (d_.to_after[id].valid()) pairs.emplace_back(id, d_.to_after[id]);
    }
    for (const auto& [a, b] : pairs) {
      const auto& ra = a_.op(a).results;
      const auto& rb = b_.op(b).results;
      for (size_t i = 0; i < std::min(ra.size(), rb.size()); ++i) pair(ra[i], rb[i]);
    }
    // What a removed op made and an added one makes now: readers that did not change tell.
    for (const auto& [a, b] : pairs) {
      const auto& oa = a_.op(a).operands;
      const auto& ob = b_.op(b).operands;
      for (size_t i = 0; i < std::min(oa.size(), ob.size()); ++i) pair_replaced(oa[i], ob[i]);
    }
    for (size_t i = 0; i < std::min(a_.outputs().size(), b_.outputs().size()); ++i)
      pair_replaced(a_.outputs()[i], b_.outputs()[i]);
  }

  void pair_replaced(ValueId a, ValueId b) {
    if (open(a, b) && a_.def_op(a) && b_.def_op(b) && a_.type(a) == b_.type(b)) pair(a, b);
  }

  // By name, the rest by position.
  void pair_inputs() {
    const std::vector<ValueId> ia = a_.inputs();
    const std::vector<ValueId> ib = b_.inputs();
    if (!by_position_) {
      for (ValueId v : ia) {
        if (const ValueId other = b_.find_input(a_.value(v).name); other.valid()) pair(v, other);
      }
    }
    size_t next = 0;
    for (ValueId v : ia) {
      if (d_.value_to_after[v].valid()) continue;
      while (next < ib.size() && d_.value_to_before[ib[next]].valid()) ++next;
      if (next == ib.size()) break;
      pair(v, ib[next]);
    }
  }

  void inputs() {
    for (ValueId v : a_.inputs()) {
      const ValueId other = d_.value_to_after[v];
      if (!other.valid()) {
        d_.notes.push_back("input " + shown(a_, v) + " : " + a_.type(v).str() + " is gone");
        continue;
      }
      if (!by_position_ && a_.value(v).name != b_.value(other).name)
        d_.notes.push_back("input " + shown(a_, v) + " is called " + shown(b_, other));
      if (a_.type(v) != b_.type(other)) {
        d_.notes.push_back("input " + shown(a_, v) + ": " + a_.type(v).str() + " → " + b_.type(other).str());
      }
    }
    for (ValueId v : b_.inputs()) {
      if (!d_.value_to_before[v].valid())
        d_.notes.push_back("input " + shown(b_, v) + " : " + b_.type(v).str() + " is new");
    }
    if (!d_.notes.empty()) return;
    const std::vector<ValueId> ia = a_.inputs();
    const std::vector<ValueId> ib = b_.inputs();
    if (!std::equal(ia.begin(), ia.end(), ib.begin(), ib.end(),
                    [&](ValueId x, ValueId y) { return d_.value_to_after[x] == y; })) {
      d_.notes.push_back("the inputs stand in another order");
    }
  }

  void weights() {
    for (ValueId w : a_.weights()) {
      const ValueId other = d_.value_to_after[w];
      if (!other.valid()) {
        d_.notes.push_back("weight " + shown(a_, w) + " : " + a_.type(w).str() + " is gone");
      } else if (a_.type(w) != b_.type(other)) {
        d_.notes.push_back("weight " + shown(a_, w) + ": " + a_.type(w).str() + " → " + b_.type(other).str());
      }
    }
    for (ValueId w : b_.weights()) {
      if (!d_.value_to_before[w].valid())
        d_.notes.push_back("weight " + shown(b_, w) + " : " + b_.type(w).str() + " is new");
    }
  }

  void outputs() {
    const auto& oa = a_.outputs();
    const auto& ob = b_.outputs();
    if (oa.size() != ob.size()) {
      d_.notes.push_back("outputs: " + std::to_string(oa.size()) + " → " + std::to_string(ob.size()));
    }
    for (size_t i = 0; i < std::min(oa.size(), ob.size()); ++i) {
      if (!same_value(oa[i], ob[i])) {
        d_.notes.push_back("output " + std::to_string(i) + " is " + shown(b_, ob[i]) + " instead of " +
                           shown(a_, oa[i]));
      }
    }
  }

  bool same_value(ValueId a, ValueId b) const {
    return d_.value_to_after[a] == b ||
           (a_.def_op(a) && b_.def_op(b) && a_numbers_.value[a] == b_numbers_.value[b]);
  }

  void compare(OpId a, OpId b) {
    const Op& oa = a_.op(a);
    const Op& ob = b_.op(b);
    OpChange c{ChangeKind::changed, a, b, {}, nullptr};
    for (const AttrDef& attr : oa.def->attrs) {
      const Attr& before = oa.attrs.at(attr.name);
      const Attr& after = ob.attrs.at(attr.name);
      if (before != after) c.notes.push_back(attr.name + ": " + attr_text(before) + " → " + attr_text(after));
    }
    if (oa.operands.size() != ob.operands.size()) {
      c.notes.push_back("operands: " + std::to_string(oa.operands.size()) + " → " +
                        std::to_string(ob.operands.size()));
    }
    for (size_t i = 0; i < std::min(oa.operands.size(), ob.operands.size()); ++i) {
      if (!same_value(oa.operands[i], ob.operands[i]))
        c.notes.push_back("reads " + shown(b_, ob.operands[i]) + " instead of " + shown(a_, oa.operands[i]));
    }
    if (oa.results.size() != ob.results.size()) {
      c.notes.push_back("results: " + std::to_string(oa.results.size()) + " → " +
                        std::to_string(ob.results.size()));
    }
    for (size_t i = 0; i < std::min(oa.results.size(), ob.results.size()); ++i) {
      const Type& before = a_.type(oa.results[i]);
      const Type& after = b_.type(ob.results[i]);
      if (before != after) c.notes.push_back(before.str() + " → " + after.str());
    }
    if (oa.scope != ob.scope) c.notes.push_back("scope: " + oa.scope + " → " + ob.scope);
    if (oa.body && ob.body) {
      GraphDiff inner = Differ(*oa.body, *ob.body, true).run();
      if (!inner.same()) c.body = std::make_shared<GraphDiff>(std::move(inner));
    }
    if (!c.notes.empty() || c.body) d_.ops.push_back(std::move(c));
  }

  const Graph& a_;
  const Graph& b_;
  bool by_position_;
  ValueNumbers::Of a_numbers_, b_numbers_;
  GraphDiff d_;
};

// Positions of a longest increasing subsequence.
std::vector<size_t> increasing(const std::vector<size_t>& values) {
  std::vector<size_t> tails, previous(values.size(), SIZE_MAX);
  for (size_t i = 0; i < values.size(); ++i) {
    const auto it = std::lower_bound(tails.begin(), tails.end(), values[i],
                                     [&](size_t at, size_t v) { return values[at] < v; });
    if (it != tails.begin()) previous[i] = *(it - 1);
    if (it == tails.end()) {
      tails.push_back(i);
    } else {
      *it = i;
    }
  }
  std::vector<size_t> out;
  for (size_t i = tails.empty() ? SIZE_MAX : tails.back(); i != SIZE_MAX; i = previous[i]) out.push_back(i);
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace

GraphDiff diff_graphs(const Graph& before, const Graph& after) { return Differ(before, after, false).run(); }

ReadingOrder order_like(const GraphDiff& d, const ReadingOrder& before, const Graph& after) {
  constexpr double kNone = 1e18;
  ReadingOrder out(after.num_op_ids(), kNone);
  std::vector<OpId> order = topo_order(after);
  std::reverse(order.begin(), order.end());
  for (OpId id : order) {  // what is new stands before its first reader …
    if (d.to_before[id].valid()) {
      out[id] = before[d.to_before[id]];
      continue;
    }
    for (ValueId r : after.op(id).results) {
      for (const Use& u : after.value(r).uses) out[id] = std::min(out[id], out[u.op] - 1e-3);
    }
  }
  std::reverse(order.begin(), order.end());
  for (OpId id : order) {  // … or, without one, behind what it reads
    if (out[id] < kNone / 2) continue;
    out[id] = 0;
    for (ValueId v : after.op(id).operands) {
      if (after.def_op(v)) out[id] = std::max(out[id], out[after.value(v).def] + 1e-3);
    }
  }
  return out;
}

std::vector<DiffRow> side_by_side(const GraphDiff& d, const std::vector<OpId>& before,
                                  const std::vector<OpId>& after) {
  std::map<OpId, size_t> place;
  for (size_t i = 0; i < after.size(); ++i) place[after[i]] = i;
  std::vector<size_t> from, to;  // partners, by position in `before` and `after`
  for (size_t i = 0; i < before.size(); ++i) {
    const auto it = place.find(d.to_after[before[i]]);
    if (it == place.end()) continue;
    from.push_back(i);
    to.push_back(it->second);
  }
  std::vector<DiffRow> rows;
  size_t i = 0;
  size_t j = 0;
  const auto up_to = [&](size_t end_before, size_t end_after) {
    while (i < end_before) rows.push_back({before[i++], {}});
    while (j < end_after) rows.push_back({{}, after[j++]});
  };
  for (size_t k : increasing(to)) {
    up_to(from[k], to[k]);
    rows.push_back({before[i++], after[j++]});
  }
  up_to(before.size(), after.size());
  return rows;
}

}  // namespace lmc
