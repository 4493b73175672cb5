#include "ir/diff_match.h"

#include <algorithm>

#include "ir/op_def.h"

namespace lmc {
namespace {

std::string attrs_key(const Op& op) {
  std::string out;
  for (const auto& [name, value] : op.attrs) out += " " + name + "=" + attr_text(value);
  return out;
}

// One of the two graphs while ops are paired.
struct Side {
  const Graph& g;
  const ValueNumbers::Of& numbers;
  SideTable<ValueId, char> constant;
  SideTable<OpId, OpId>& partner;

  bool open(OpId id) const { return !partner[id].valid(); }

  // The weights an op reads, directly or worked on.
  std::string weights_key(OpId id) const {
    std::string out;
    for (ValueId v : g.op(id).operands) {
      if (constant[v]) out += " " + std::to_string(numbers.value[v]);
    }
    return out;
  }
};

class OpMatcher {
 public:
  OpMatcher(const Graph& a, const Graph& b, const ValueNumbers::Of& na, const ValueNumbers::Of& nb)
      : a_{a, na, weight_only(a), pairs_.to_after}, b_{b, nb, weight_only(b), pairs_.to_before} {}

  OpPairs run() {
    pair_by([](const Side& s, OpId id) { return std::to_string(s.numbers.op[id]) + "|" + s.g.op(id).scope; });
    pair_by([](const Side& s, OpId id) { return std::to_string(s.numbers.op[id]); });
    pair_by(
        [](const Side& s, OpId id) {
          const std::string weights = s.weights_key(id);
          return weights.empty() ? "" : s.g.op(id).def->name + "|" + s.g.op(id).scope + "|" + weights;
        },
        true);
    for (size_t i = 0; i < std::min(a_.g.outputs().size(), b_.g.outputs().size()); ++i)
      pair_makers(a_.g.outputs()[i], b_.g.outputs()[i]);
    spread();
    pair_by(
        [](const Side& s, OpId id) {
          const Op& op = s.g.op(id);
          std::string key = op.def->name + "|" + op.scope + "|" + attrs_key(op) + "|";
          for (ValueId r : op.results) key += s.g.type(r).str();
          return key;
        },
        true);
    spread();
    return std::move(pairs_);
  }

 private:
  // Ops of equal keys, in order; with `same_count` only where both graphs have as many. "" is no key.
  template <class Key>
  void pair_by(const Key& key, bool same_count = false) {
    std::map<std::string, std::vector<OpId>> before, after;
    for (OpId id : topo_order(a_.g)) {
      if (a_.open(id)) before[key(a_, id)].push_back(id);
    }
    for (OpId id : topo_order(b_.g)) {
      if (b_.open(id)) after[key(b_, id)].push_back(id);
    }
    before.erase("");
    for (const auto& [k, list] : before) {
      const auto it = after.find(k);
      if (it == after.end() || (same_count && it->second.size() != list.size())) continue;
      for (size_t i = 0; i < std::min(list.size(), it->second.size()); ++i) pair(list[i], it->second[i]);
    }
  }

  void pair(OpId a, OpId b) {
    a_.partner[a] = b;
    b_.partner[b] = a;
    pending_.emplace_back(a, b);
  }

  // From pairs to their neighbours, as long as there are new pairs.
  void spread() {
    while (!pending_.empty()) {
      const auto [a, b] = pending_.back();
      pending_.pop_back();
      const Op& oa = a_.g.op(a);
      const Op& ob = b_.g.op(b);
      for (size_t i = 0; i < std::min(oa.operands.size(), ob.operands.size()); ++i)
        pair_makers(oa.operands[i], ob.operands[i]);
      for (size_t i = 0; i < std::min(oa.results.size(), ob.results.size()); ++i)
        pair_readers(oa.results[i], ob.results[i]);
    }
  }

  void pair_makers(ValueId a, ValueId b) {
    const Value& va = a_.g.value(a);
    const Value& vb = b_.g.value(b);
    if (va.kind != ValueKind::result || vb.kind != ValueKind::result) return;
    if (va.result_index != vb.result_index || !a_.open(va.def) || !b_.open(vb.def)) return;
    if (alike(va.def, vb.def)) pair(va.def, vb.def);
  }

  bool alike(OpId a, OpId b) const {
    return a_.g.op(a).def == b_.g.op(b).def && a_.g.op(a).scope == b_.g.op(b).scope;
  }

  // Readers of the same kind at the same operand: first those with equal attributes and weights, then what is
  // left if it is one of each.
  void pair_readers(ValueId a, ValueId b) {
    std::map<std::string, std::vector<OpId>> before = readers(a_, a);
    std::map<std::string, std::vector<OpId>> after = readers(b_, b);
    for (auto& [key, list] : before) {
      const auto it = after.find(key);
      if (it == after.end()) continue;
      for (OpId id : list) {
        const auto same = std::find_if(it->second.begin(), it->second.end(), [&](OpId other) {
          return b_.open(other) && attrs_key(a_.g.op(id)) == attrs_key(b_.g.op(other)) &&
                 a_.weights_key(id) == b_.weights_key(other);
        });
        if (same != it->second.end()) pair(id, *same);
      }
      std::erase_if(list, [&](OpId id) { return !a_.open(id); });
      std::erase_if(it->second, [&](OpId id) { return !b_.open(id); });
      if (list.size() == 1 && it->second.size() == 1) pair(list[0], it->second[0]);
    }
  }

  static std::map<std::string, std::vector<OpId>> readers(const Side& s, ValueId v) {
    std::map<std::string, std::vector<OpId>> out;
    for (const Use& u : s.g.value(v).uses) {
      if (!s.open(u.op)) continue;
      auto& list = out[s.g.op(u.op).def->name + "|" + s.g.op(u.op).scope + "|" + std::to_string(u.operand)];
      if (list.empty() || list.back() != u.op) list.push_back(u.op);
    }
    return out;
  }

  OpPairs pairs_;
  Side a_, b_;
  std::vector<std::pair<OpId, OpId>> pending_;
};

}  // namespace

uint32_t ValueNumbers::intern(const std::string& key) {
  return known_.emplace(key, static_cast<uint32_t>(known_.size())).first->second;
}

ValueNumbers::Of ValueNumbers::number(const Graph& g, bool inputs_by_position) {
  Of out;
  const std::vector<ValueId> inputs = g.inputs();
  for (size_t i = 0; i < inputs.size(); ++i)
    out.value[inputs[i]] =
        intern(inputs_by_position ? "input " + std::to_string(i) : "%" + g.value(inputs[i]).name);
  for (ValueId v : g.weights()) out.value[v] = intern("@" + g.value(v).name);
  for (OpId id : topo_order(g)) {
    const Op& op = g.op(id);
    std::string key = op.def->name + attrs_key(op);
    for (ValueId v : op.operands) key += " " + std::to_string(out.value[v]);
    if (op.body) key += " {" + body_key(*op.body) + "}";
    out.op[id] = intern(key);
    for (ValueId r : op.results)
      out.value[r] = intern(std::to_string(out.op[id]) + "." + std::to_string(g.value(r).result_index));
  }
  return out;
}

std::string ValueNumbers::body_key(const Graph& body) {
  const Of numbers = number(body, true);
  std::vector<uint32_t> ops;
  for (OpId id : body.ops()) ops.push_back(numbers.op[id]);
  std::sort(ops.begin(), ops.end());
  std::string out;
  for (uint32_t n : ops) out += std::to_string(n) + " ";
  out += "→";
  for (ValueId v : body.outputs()) out += " " + std::to_string(numbers.value[v]);
  return out;
}

OpPairs match_ops(const Graph& before, const Graph& after, const ValueNumbers::Of& before_numbers,
                  const ValueNumbers::Of& after_numbers) {
  return OpMatcher(before, after, before_numbers, after_numbers).run();
}

}  // namespace lmc
