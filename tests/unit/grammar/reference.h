// What a grammar says, slowly: Earley's recogniser over its rules, written out. Shares nothing with the
// machine but the grammar.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "grammar/grammar.h"

namespace lmc::grammar::test {

class Reference {
 public:
  explicit Reference(const Grammar& g) : g_(g) {
    for (size_t r = 0; r < g.rules(); ++r)
      rule_symbols_.push_back(static_cast<int>(productions_.size())), productions_.emplace_back();
    for (size_t r = 0; r < g.rules(); ++r) {
      const int is = symbol(g.definition(static_cast<RuleId>(r)));
      productions_[r].push_back({is});
    }
    drop_endless();
  }

  // Is it the beginning of a text?
  bool begins(std::string_view text) { return run(text).first; }
  bool takes(std::string_view text) { return run(text).second; }

 private:
  // A symbol is a set of bytes (-1 - index) or a number of productions.
  using Body = std::vector<int>;

  int fresh() {
    productions_.emplace_back();
    return static_cast<int>(productions_.size() - 1);
  }

  int symbol(ExprId id) {
    const Expr& e = g_.expr(id);
    if (e.kind == Expr::Kind::rule) return rule_symbols_[e.index];
    if (const auto it = known_.find(id); it != known_.end()) return it->second;
    if (e.kind == Expr::Kind::bytes) {
      sets_.push_back(e.bytes);
      return known_[id] = -static_cast<int>(sets_.size());
    }
    const int out = known_[id] = fresh();
    std::vector<Body> bodies;
    if (e.kind == Expr::Kind::choice) {
      for (const ExprId p : e.parts) bodies.push_back({symbol(p)});
    } else if (e.kind == Expr::Kind::sequence) {
      bodies.emplace_back();
      for (const ExprId p : e.parts) bodies[0].push_back(symbol(p));
    } else {  // a repetition
      const int part = symbol(e.parts[0]);
      Body least(static_cast<size_t>(e.least), part);
      if (e.most == kUnbounded) {
        const int more = fresh();
        productions_[static_cast<size_t>(more)] = {{}, {part, more}};
        least.push_back(more);
        bodies.push_back(least);
      } else {
        for (int32_t n = e.least; n <= e.most; ++n) {
          bodies.push_back(least);
          least.push_back(part);
        }
      }
    }
    productions_[static_cast<size_t>(out)] = std::move(bodies);
    return out;
  }

  void drop_endless() {
    std::vector<char> ends(productions_.size());
    const auto body_ends = [&](const Body& b) {
      for (const int s : b) {
        if (s >= 0 && !ends[static_cast<size_t>(s)]) return false;
      }
      return true;
    };
    for (bool changed = true; changed;) {
      changed = false;
      for (size_t s = 0; s < productions_.size(); ++s) {
        for (const Body& b : productions_[s]) {
          if (!ends[s] && body_ends(b)) {
            ends[s] = 1;
            changed = true;
          }
        }
      }
    }
    for (auto& bodies : productions_) std::erase_if(bodies, [&](const Body& b) { return !body_ends(b); });
    for (bool changed = true; changed;) {
      changed = false;
      for (size_t s = 0; s < productions_.size(); ++s) {
        for (const Body& b : productions_[s]) {
          bool all = !nullable_.contains(static_cast<int>(s));
          for (const int x : b) all = all && nullable_.contains(x);
          if (all) changed = nullable_.insert(static_cast<int>(s)).second;
        }
      }
    }
  }

  std::pair<bool, bool> run(std::string_view text) {
    using Item = std::tuple<int, size_t, size_t, size_t>;  // symbol, body, place in it, where it began
    std::vector<std::vector<Item>> sets(text.size() + 1);
    std::set<Item> seen;
    const auto add = [&](size_t at, const Item& i) {
      if (at >= sets.size()) return;
      if (std::find(sets[at].begin(), sets[at].end(), i) == sets[at].end()) sets[at].push_back(i);
    };
    const int root = rule_symbols_[g_.root()];
    const auto predict = [&](size_t at, int s) {
      for (size_t b = 0; b < productions_[static_cast<size_t>(s)].size(); ++b) add(at, {s, b, 0, at});
    };
    predict(0, root);
    for (size_t at = 0; at <= text.size(); ++at) {
      for (size_t i = 0; i < sets[at].size(); ++i) {
        const auto [s, b, place, from] = sets[at][i];
        const Body& body = productions_[static_cast<size_t>(s)][b];
        if (place == body.size()) {
          for (size_t k = 0; k < sets[from].size(); ++k) {
            const auto [s2, b2, place2, from2] = sets[from][k];
            const Body& body2 = productions_[static_cast<size_t>(s2)][b2];
            if (place2 < body2.size() && body2[place2] == s) add(at, {s2, b2, place2 + 1, from2});
          }
        } else if (const int next = body[place]; next < 0) {
          if (at < text.size() &&
              sets_[static_cast<size_t>(-1 - next)].contains(static_cast<uint8_t>(text[at])))
            add(at + 1, {s, b, place + 1, from});
        } else {
          predict(at, next);
          if (nullable_.contains(next)) add(at, {s, b, place + 1, from});
        }
      }
      if (sets[at].empty()) return {false, false};
    }
    bool whole = false;
    for (const auto& [s, b, place, from] : sets.back())
      whole |= s == root && from == 0 && place == productions_[static_cast<size_t>(s)][b].size();
    return {true, whole};
  }

  const Grammar& g_;
  std::vector<std::vector<Body>> productions_;
  std::vector<int> rule_symbols_;
  std::vector<ByteSet> sets_;
  std::map<ExprId, int> known_;
  std::set<int> nullable_;
};

}  // namespace lmc::grammar::test
