#include "grammar/machine.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "ir/error.h"

namespace lmc::grammar {
namespace {

constexpr uint32_t kWrittenOut = 64;  // states of a repetition that is copied rather than counted
constexpr uint32_t kInlined = 24;     // of a rule that calls no other

using Kind = Expr::Kind;

// One unit for each rule that is used, and for each part that is repeated by counting.
class Units {
 public:
  explicit Units(const Grammar& g) : g_(g), unit_of_rule_(g.rules(), kNone), leaf_(g.rules(), kUnknown) {
    unit_of(g.root());
    for (size_t u = 0; u < units_.size(); ++u) build(static_cast<uint32_t>(u));
  }

  struct Unit {
    std::string name;
    ExprId is;
    Automaton automaton;
  };
  std::vector<Unit>& units() { return units_; }
  std::vector<Symbol>& symbols() { return symbols_; }

 private:
  static constexpr uint32_t kNone = ~uint32_t{0};
  enum Leaf : uint8_t { kUnknown, kAsking, kYes, kNo };

  uint32_t unit_of(RuleId rule) {
    uint32_t& unit = unit_of_rule_[rule];
    if (unit == kNone) {
      unit = static_cast<uint32_t>(units_.size());
      units_.push_back({g_.name(rule), g_.definition(rule), {}});
    }
    return unit;
  }

  void build(uint32_t unit) {
    at_ = unit;
    Automaton a;
    if (const Expr& is = g_.expr(units_[unit].is); is.kind == Kind::automaton) {
      a = g_.automaton_of(is);
    } else {
      a.add_state();
      const uint32_t end = a.add_state();
      a.states[end].final = true;
      add(a, units_[unit].is, 0, end, 0);
    }
    total_ += a.states.size();
    make_deterministic(a, 4 * a.states.size() + 64);
    units_[unit].automaton = std::move(a);
  }

  uint32_t state(Automaton& a) const {
    if (total_ + a.states.size() > kMostStates)
      throw Error("the grammar is too large: it takes more than " + std::to_string(kMostStates) + " states" +
                  (units_[at_].name.empty() ? "" : ", with rule " + units_[at_].name));
    return a.add_state();
  }

  // What leads from `from` to `to`. Parts are within others as deep as the text was, which its reader bounds.
  void add(Automaton& a, ExprId id, uint32_t from, uint32_t to, int depth) {
    const Expr& e = g_.expr(id);
    switch (e.kind) {
      case Kind::bytes:
        a.states[from].edges.push_back({e.bytes, to});
        break;
      case Kind::sequence:
        add_sequence(a, e.parts, from, to, depth);
        break;
      case Kind::choice:
        for (const ExprId part : e.parts) add(a, part, from, to, depth);
        break;
      case Kind::repeat:
        add_repeat(a, e, from, to, depth);
        break;
      case Kind::rule:
        if (is_leaf(e.index)) {
          add(a, g_.definition(e.index), from, to, depth + 1);
        } else {
          a.states[from].calls.push_back({symbol({unit_of(e.index)}), to});
        }
        break;
      case Kind::automaton:
        add_automaton(a, g_.automaton_of(e), from, to);
        break;
    }
  }

  void add_sequence(Automaton& a, const std::vector<ExprId>& parts, uint32_t from, uint32_t to, int depth) {
    if (parts.empty()) a.states[from].empty.push_back(to);
    for (size_t i = 0; i < parts.size(); ++i) {
      const uint32_t next = i + 1 == parts.size() ? to : state(a);
      add(a, parts[i], from, next, depth);
      from = next;
    }
  }

  void add_repeat(Automaton& a, const Expr& e, uint32_t from, uint32_t to, int depth) {
    const ExprId part = e.parts[0];
    const bool loop = e.most == kUnbounded;
    if (e.size > kWrittenOut && !(e.least <= 1 && (loop || e.most == 1))) return add_counted(a, e, from, to);
    for (int32_t i = 0; i < e.least - (loop ? 1 : 0); ++i) {
      const uint32_t next = state(a);
      add(a, part, from, next, depth);
      from = next;
    }
    if (loop) {
      const uint32_t begin = state(a), end = state(a);
      a.states[from].empty.push_back(begin);
      add(a, part, begin, end, depth);
      a.states[end].empty.push_back(begin);
      a.states[end].empty.push_back(to);
      if (e.least == 0) a.states[from].empty.push_back(to);
      return;
    }
    a.states[from].empty.push_back(to);
    for (int32_t i = std::max(e.least, 0); i < e.most; ++i) {
      const uint32_t next = state(a);
      add(a, part, from, next, depth);
      a.states[next].empty.push_back(to);
      from = next;
    }
  }

  void add_counted(Automaton& a, const Expr& e, uint32_t from, uint32_t to) {
    const auto [it, added] = unit_of_part_.try_emplace(e.parts[0], static_cast<uint32_t>(units_.size()));
    if (added) units_.push_back({units_[at_].name, e.parts[0], {}});
    a.states[from].calls.push_back({symbol({it->second, e.least, e.most, true}), to});
  }

  void add_automaton(Automaton& a, const Automaton& part, uint32_t from, uint32_t to) {
    std::vector<uint32_t> number;
    for (size_t s = 0; s < part.states.size(); ++s) number.push_back(state(a));
    a.states[from].empty.push_back(number[0]);
    for (size_t s = 0; s < part.states.size(); ++s) {
      Automaton::State& out = a.states[number[s]];
      for (const auto& edge : part.states[s].edges) out.edges.push_back({edge.bytes, number[edge.to]});
      for (const uint32_t t : part.states[s].empty) out.empty.push_back(number[t]);
      if (part.states[s].final) out.empty.push_back(to);
    }
  }

  // Is it small, and calls nothing that is not? Then a copy of it costs less than a call.
  bool is_leaf(RuleId rule) {
    if (leaf_[rule] == kUnknown) {
      leaf_[rule] = kAsking;  // and if it comes back here, no
      leaf_[rule] = is_small(g_.definition(rule)) ? kYes : kNo;
    }
    return leaf_[rule] == kYes;
  }
  bool is_small(ExprId id) const {
    const Expr& e = g_.expr(id);
    if (e.kind == Kind::rule || e.size > kInlined) return false;
    return std::all_of(e.parts.begin(), e.parts.end(), [&](ExprId p) { return is_small(p); });
  }

  uint32_t symbol(const Symbol& s) {
    const auto [it, added] = symbol_numbers_.try_emplace({s.unit, s.least, s.most, s.counted},
                                                         static_cast<uint32_t>(symbols_.size()));
    if (added) symbols_.push_back(s);
    return it->second;
  }

  const Grammar& g_;
  std::vector<Unit> units_;
  std::vector<Symbol> symbols_;
  std::vector<uint32_t> unit_of_rule_;
  std::vector<uint8_t> leaf_;
  std::map<ExprId, uint32_t> unit_of_part_;
  std::map<std::tuple<uint32_t, int32_t, int32_t, bool>, uint32_t> symbol_numbers_;
  size_t total_ = 0;
  uint32_t at_ = 0;
};

// What may be said of a state once it may be said of those behind it: spreads backwards over edges and calls,
// over a call once it holds for the start of what is called.
class Spread {
 public:
  Spread(const Machine& m, bool over_bytes)
      : m_(m), holds(m.automaton.states.size()), waiting_(m.starts.size()) {
    const auto& states = m.automaton.states;
    before_.resize(states.size());
    for (uint32_t s = 0; s < states.size(); ++s) {
      if (over_bytes) {
        for (const auto& e : states[s].edges) before_[e.to].push_back({s, kAlways});
      }
      for (const uint32_t t : states[s].empty) before_[t].push_back({s, kAlways});
      for (const auto& c : states[s].calls) {
        const Symbol& symbol = m.symbols[c.symbol];
        const bool may_skip = symbol.counted && symbol.least == 0;
        before_[c.to].push_back({s, may_skip ? kAlways : symbol.unit});
      }
    }
    start_of_.resize(states.size(), kAlways);
    for (uint32_t u = 0; u < m.starts.size(); ++u) start_of_[m.starts[u]] = u;
    for (uint32_t s = 0; s < states.size(); ++s) {
      if (states[s].final) mark(s);
    }
    run();
  }

  bool of_unit(uint32_t unit) const { return holds[m_.starts[unit]] != 0; }

 private:
  static constexpr uint32_t kAlways = ~uint32_t{0};
  struct Way {
    uint32_t from, unit;
  };
  void mark(uint32_t s) {
    if (!std::exchange(holds[s], 1)) todo_.push_back(s);
  }
  void run() {
    while (!todo_.empty()) {
      const uint32_t s = todo_.back();
      todo_.pop_back();
      if (const uint32_t unit = start_of_[s]; unit != kAlways) {
        for (const uint32_t from : std::exchange(waiting_[unit], {})) mark(from);
      }
      for (const Way& way : before_[s]) {
        if (way.unit == kAlways || of_unit(way.unit))
          mark(way.from);
        else
          waiting_[way.unit].push_back(way.from);
      }
    }
  }

  const Machine& m_;

 public:
  std::vector<char> holds;  // by state

 private:
  std::vector<std::vector<Way>> before_;
  std::vector<std::vector<uint32_t>> waiting_;  // by unit
  std::vector<uint32_t> start_of_, todo_;
};

// Removes what can never come to an end.
void trim(Machine& m, const std::vector<Units::Unit>& units) {
  const Spread ends(m, true);
  if (!ends.of_unit(0)) {
    throw Error("no text has an end under this grammar: rule " + units[0].name +
                " always needs more, or a part that nothing matches");
  }
  for (auto& s : m.automaton.states) {
    std::erase_if(s.edges, [&](const auto& e) { return !ends.holds[e.to]; });
    std::erase_if(s.empty, [&](uint32_t t) { return !ends.holds[t]; });
    std::erase_if(s.calls, [&](const auto& c) {
      const Symbol& symbol = m.symbols[c.symbol];
      return !ends.holds[c.to] || (!ends.of_unit(symbol.unit) && !(symbol.counted && symbol.least == 0));
    });
  }
  for (Symbol& s : m.symbols) {
    if (!ends.of_unit(s.unit)) s.most = 0;  // only its absence
  }
}

// A counted part that may be empty: turns without a byte say nothing, so none is counted.
void count_only_bytes(Machine& m, const std::vector<Units::Unit>& units) {
  const Spread empty(m, false);
  std::map<uint32_t, uint32_t> without;  // unit → the same, never empty
  for (Symbol& s : m.symbols) {
    if (!s.counted || !empty.of_unit(s.unit)) continue;
    s.least = 0;
    const auto it = without.find(s.unit);
    if (it != without.end()) {
      s.unit = it->second;
      continue;
    }
    Automaton::State start = m.automaton.states[m.starts[s.unit]];
    start.final = false;
    for (const auto& c : start.calls) {
      const Symbol& called = m.symbols[c.symbol];
      if (empty.of_unit(called.unit) || (called.counted && called.least == 0) || !start.empty.empty())
        throw Error("rule " + units[s.unit].name + " counts turns of a part that may be empty: write {" +
                    "m,n} around what is not");
    }
    if (!start.empty.empty())
      throw Error("rule " + units[s.unit].name + " counts turns of a part that may be empty");
    m.starts.push_back(m.automaton.add_state());
    m.automaton.states.back() = std::move(start);
    s.unit = without[s.unit] = static_cast<uint32_t>(m.starts.size() - 1);
  }
}

// Who calls itself before a byte was read would call for ever.
void refuse_left_recursion(const Machine& m, const std::vector<Units::Unit>& units) {
  const Spread empty(m, false);
  const auto& states = m.automaton.states;
  const auto n = static_cast<uint32_t>(m.starts.size());
  std::vector<std::vector<uint32_t>> calls(n);  // before a byte
  std::vector<uint32_t> seen(states.size(), ~uint32_t{0});
  for (uint32_t u = 0; u < n; ++u) {
    std::vector<uint32_t> todo = {m.starts[u]};
    seen[m.starts[u]] = u;
    const auto go = [&](uint32_t t) {
      if (std::exchange(seen[t], u) != u) todo.push_back(t);
    };
    while (!todo.empty()) {
      const uint32_t s = todo.back();
      todo.pop_back();
      for (const uint32_t t : states[s].empty) go(t);
      for (const auto& c : states[s].calls) {
        const Symbol& symbol = m.symbols[c.symbol];
        if (symbol.most != 0) calls[u].push_back(symbol.unit);
        if (empty.of_unit(symbol.unit) || (symbol.counted && symbol.least == 0)) go(c.to);
      }
    }
  }
  enum : uint8_t { kNew, kOpen, kDone };
  std::vector<uint8_t> mark(n);
  std::vector<std::pair<uint32_t, size_t>> path;
  for (uint32_t root = 0; root < n; ++root) {
    if (mark[root] != kNew) continue;
    path.assign(1, {root, 0});
    mark[root] = kOpen;
    while (!path.empty()) {
      auto& [u, next] = path.back();
      if (next == calls[u].size()) {
        mark[u] = kDone;
        path.pop_back();
        continue;
      }
      const uint32_t v = calls[u][next++];
      if (mark[v] == kOpen) {
        throw Error(
            "rule " + units[std::min<size_t>(v, units.size() - 1)].name +
            " begins with itself (left recursion): write it with a repetition, x (\"+\" x)* for x \"+\" x");
      }
      if (mark[v] == kNew) {
        mark[v] = kOpen;
        path.emplace_back(v, 0);
      }
    }
  }
}

}  // namespace

Machine::Machine(const Grammar& grammar) {
  Units units(grammar);
  size_t count = 1;
  for (const Units::Unit& unit : units.units()) count += unit.automaton.states.size();
  automaton.states.reserve(count);
  automaton.add_state();
  automaton.states[0].final = true;
  for (Units::Unit& unit : units.units()) {
    const auto base = static_cast<uint32_t>(automaton.states.size());
    starts.push_back(base);
    for (Automaton::State& s : unit.automaton.states) {
      for (auto& e : s.edges) e.to += base;
      for (auto& c : s.calls) c.to += base;
      for (uint32_t& t : s.empty) t += base;
      automaton.states.push_back(std::move(s));
    }
  }
  symbols = std::move(units.symbols());
  trim(*this, units.units());
  count_only_bytes(*this, units.units());
  refuse_left_recursion(*this, units.units());
  for (const auto& s : automaton.states)
    only_end.push_back(s.final && s.edges.empty() && s.calls.empty() && s.empty.empty());
  classes = byte_classes(sets_of(automaton));
  counts = std::any_of(symbols.begin(), symbols.end(), [](const Symbol& s) { return s.counted; });
}

}  // namespace lmc::grammar
