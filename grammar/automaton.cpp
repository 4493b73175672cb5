#include "grammar/automaton.h"

#include <algorithm>
#include <bitset>
#include <map>
#include <span>
#include <utility>

namespace lmc::grammar {
namespace {

using State = Automaton::State;

template <class F>
void each_target(const State& s, const F& f) {
  for (const auto& e : s.edges) f(e.to);
  for (const auto& c : s.calls) f(c.to);
  for (const uint32_t t : s.empty) f(t);
}

std::vector<ByteSet> bytes_of(const ByteClasses& classes) {
  std::vector<ByteSet> out(static_cast<size_t>(classes.count));
  for (int b = 0; b < 256; ++b) out[classes.of[b]] |= ByteSet::of(static_cast<uint8_t>(b));
  return out;
}

// Which states lead to each, side by side: of a long literal there is one for each byte.
class Before {
 public:
  explicit Before(const Automaton& a) : begin_(a.states.size() + 1) {
    each_way(a, [&](uint32_t, uint32_t to) { ++begin_[to + 1]; });
    for (size_t s = 1; s < begin_.size(); ++s) begin_[s] += begin_[s - 1];
    from_.resize(begin_.back());
    std::vector<uint32_t> next(begin_.begin(), begin_.end() - 1);
    each_way(a, [&](uint32_t from, uint32_t to) { from_[next[to]++] = from; });
  }
  std::span<const uint32_t> of(uint32_t s) const {
    return std::span(from_).subspan(begin_[s], begin_[s + 1] - begin_[s]);
  }

 private:
  template <class F>
  static void each_way(const Automaton& a, const F& f) {
    for (uint32_t s = 0; s < a.states.size(); ++s) each_target(a.states[s], [&](uint32_t t) { f(s, t); });
  }
  std::vector<uint32_t> begin_, from_;
};

std::vector<char> reached_from_first(const Automaton& a) {
  std::vector<char> out(a.states.size());
  std::vector<uint32_t> todo = {0};
  out[0] = 1;
  while (!todo.empty()) {
    const uint32_t s = todo.back();
    todo.pop_back();
    each_target(a.states[s], [&](uint32_t t) {
      if (!std::exchange(out[t], 1)) todo.push_back(t);
    });
  }
  return out;
}

// Those of them that lead to an end.
std::vector<char> leading_to_end(const Automaton& a, const std::vector<char>& reached) {
  const Before before(a);
  std::vector<char> out(a.states.size());
  std::vector<uint32_t> todo;
  for (uint32_t s = 0; s < a.states.size(); ++s) {
    if (!reached[s] || !a.states[s].final) continue;
    out[s] = 1;
    todo.push_back(s);
  }
  while (!todo.empty()) {
    const uint32_t s = todo.back();
    todo.pop_back();
    for (const uint32_t p : before.of(s)) {
      if (reached[p] && !std::exchange(out[p], 1)) todo.push_back(p);
    }
  }
  return out;
}

// Keeps what can be reached and leads to an end; the first state always.
Automaton trimmed(Automaton a) {
  const std::vector<char> leads = leading_to_end(a, reached_from_first(a));
  std::vector<uint32_t> number(a.states.size());
  uint32_t count = 1;
  for (uint32_t s = 1; s < a.states.size(); ++s) {
    if (leads[s]) number[s] = count++;
  }
  if (!leads[0]) a.states[0] = {};
  for (uint32_t s = 0; s < a.states.size(); ++s) {
    if (!leads[s]) continue;
    State& state = a.states[s];
    std::erase_if(state.edges, [&](const auto& e) { return !leads[e.to]; });
    std::erase_if(state.calls, [&](const auto& c) { return !leads[c.to]; });
    std::erase_if(state.empty, [&](uint32_t t) { return !leads[t]; });
    for (auto& e : state.edges) e.to = number[e.to];
    for (auto& c : state.calls) c.to = number[c.to];
    for (uint32_t& t : state.empty) t = number[t];
    if (number[s] != s) a.states[number[s]] = std::move(state);
  }
  a.states.resize(count);
  return a;
}

// For a byte and for a symbol, is there one way at most?
bool is_deterministic(const State& s) {
  ByteSet known;
  for (const auto& e : s.edges) {
    if (!(known & e.bytes).empty()) return false;
    known |= e.bytes;
  }
  if (s.calls.size() < 2) return true;
  std::vector<uint32_t> symbols;
  for (const auto& c : s.calls) symbols.push_back(c.symbol);
  std::sort(symbols.begin(), symbols.end());
  return std::adjacent_find(symbols.begin(), symbols.end()) == symbols.end();
}

bool is_deterministic(const Automaton& a) {
  return std::all_of(a.states.begin(), a.states.end(),
                     [](const State& s) { return s.empty.empty() && is_deterministic(s); });
}

// Most states of most automata have one way for a byte, or all but a few: where a subset has one member, and
// where all ways for some bytes lead to one state, nothing is sorted and looked up.
class SubsetConstruction {
 public:
  SubsetConstruction(const Automaton& a, size_t most)
      : a_(a), most_(most), marked_(a.states.size()), number_of_one_(a.states.size(), kNone) {
    classes_ = byte_classes(sets_of(a));
    class_bytes_ = bytes_of(classes_);
    out_.states.reserve(a.states.size());
  }

  std::optional<Automaton> run() {
    if (!number_of_one(0)) return std::nullopt;
    for (uint32_t s = 0; s < out_.states.size(); ++s) {
      if (!expand(s)) return std::nullopt;
    }
    numbers_.clear();  // before there is a second automaton
    return trimmed(std::move(out_));
  }

 private:
  static constexpr size_t kMostWork = size_t{1} << 21;  // members of subsets seen
  static constexpr uint32_t kNone = ~uint32_t{0};

  // Everything that is reached from these without a byte.
  void close(std::vector<uint32_t>& members) {
    std::vector<uint32_t> all;
    for (const uint32_t m : members) {
      if (!std::exchange(marked_[m], 1)) all.push_back(m);
    }
    for (size_t i = 0; i < all.size(); ++i) {
      for (const uint32_t t : a_.states[all[i]].empty) {
        if (!std::exchange(marked_[t], 1)) all.push_back(t);
      }
    }
    for (const uint32_t m : all) marked_[m] = 0;
    work_ += all.size() + 1;
    std::sort(all.begin(), all.end());
    members = std::move(all);
  }

  std::optional<uint32_t> number_of(std::vector<uint32_t> members) {
    close(members);
    const auto [it, added] = numbers_.try_emplace(members, static_cast<uint32_t>(out_.states.size()));
    if (!added) return it->second;
    if (out_.states.size() >= most_ || work_ > kMostWork) return std::nullopt;
    const uint32_t s = out_.add_state();
    subsets_.push_back(&it->first);
    for (const uint32_t m : members) out_.states[s].final |= a_.states[m].final;
    return s;
  }

  std::optional<uint32_t> number_of_one(uint32_t member) {
    if (number_of_one_[member] == kNone) {
      const auto number = number_of({member});
      if (!number) return std::nullopt;
      number_of_one_[member] = *number;
    }
    return number_of_one_[member];
  }
  std::optional<uint32_t> number_of_all(std::vector<uint32_t>& members) {
    const bool one = std::all_of(members.begin(), members.end(), [&](uint32_t m) { return m == members[0]; });
    return one ? number_of_one(members[0]) : number_of(std::move(members));
  }

  bool expand(uint32_t s) {
    if (subsets_[s]->size() == 1 && is_deterministic(a_.states[subsets_[s]->front()]))
      return expand_one(s, a_.states[subsets_[s]->front()]);
    std::map<int, std::vector<uint32_t>> by_class;
    std::map<uint32_t, std::vector<uint32_t>> by_symbol;
    for (const uint32_t m : *subsets_[s]) {
      for (const auto& e : a_.states[m].edges) {
        ++work_;
        for (int c = 0; c < classes_.count; ++c) {
          if (e.bytes.contains(class_bytes_[static_cast<size_t>(c)].first())) by_class[c].push_back(e.to);
        }
      }
      for (const auto& c : a_.states[m].calls) by_symbol[c.symbol].push_back(c.to);
    }
    std::map<uint32_t, ByteSet> bytes;  // by target
    for (auto& [c, members] : by_class) {
      const auto to = number_of_all(members);
      if (!to) return false;
      bytes[*to] |= class_bytes_[static_cast<size_t>(c)];
    }
    for (const auto& [to, set] : bytes) out_.states[s].edges.push_back({set, to});
    for (auto& [symbol, members] : by_symbol) {
      const auto to = number_of_all(members);
      if (!to) return false;
      out_.states[s].calls.push_back({symbol, *to});
    }
    return true;
  }

  bool expand_one(uint32_t s, const State& from) {
    for (const auto& e : from.edges) {
      ++work_;
      const auto to = number_of_one(e.to);
      if (!to) return false;
      auto& edges = out_.states[s].edges;
      const auto same = std::find_if(edges.begin(), edges.end(), [&](const auto& k) { return k.to == *to; });
      if (same == edges.end()) {
        edges.push_back({e.bytes, *to});
      } else {
        same->bytes |= e.bytes;
      }
    }
    for (const auto& c : from.calls) {
      const auto to = number_of_one(c.to);
      if (!to) return false;
      out_.states[s].calls.push_back({c.symbol, *to});
    }
    return true;
  }

  const Automaton& a_;
  const size_t most_;
  ByteClasses classes_;
  std::vector<ByteSet> class_bytes_;
  std::vector<char> marked_;
  std::vector<uint32_t> number_of_one_;  // by state of `a_`: of what is reached from it without a byte
  Automaton out_;
  std::map<std::vector<uint32_t>, uint32_t> numbers_;
  std::vector<const std::vector<uint32_t>*> subsets_;  // by state
  size_t work_ = 0;
};

}  // namespace

std::set<ByteSet> sets_of(const Automaton& a) {
  std::set<ByteSet> out;
  for (const State& s : a.states) {
    for (const auto& e : s.edges) out.insert(e.bytes);
  }
  return out;
}

ByteClasses byte_classes(const std::set<ByteSet>& sets) {
  ByteClasses out;
  out.count = 1;
  for (const ByteSet& set : sets) {
    int in_set[256];  // by class: what those of it become that are in the set
    std::fill(std::begin(in_set), std::end(in_set), -1);
    bool outside[256] = {};
    for (int b = 0; b < 256; ++b) {
      if (!set.contains(static_cast<uint8_t>(b))) outside[out.of[b]] = true;
    }
    for (int b = 0; b < 256; ++b) {
      if (!set.contains(static_cast<uint8_t>(b)) || !outside[out.of[b]]) continue;
      int& becomes = in_set[out.of[b]];
      if (becomes < 0) becomes = out.count++;
      out.of[b] = static_cast<uint8_t>(becomes);
    }
  }
  return out;
}

bool make_deterministic(Automaton& a, size_t most) {
  if (a.states.size() <= most && is_deterministic(a)) {
    a = trimmed(std::move(a));
    return true;
  }
  std::optional<Automaton> out = SubsetConstruction(a, most).run();
  if (out) a = std::move(*out);
  return out.has_value();
}

std::optional<Automaton> deterministic(Automaton a, size_t most) {
  if (!make_deterministic(a, most)) return std::nullopt;
  return a;
}

std::optional<Automaton> intersection(const Automaton& a, const Automaton& b, size_t most) {
  Automaton out;
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> numbers;
  std::vector<std::pair<uint32_t, uint32_t>> pairs;
  const auto number_of = [&](uint32_t x, uint32_t y) {
    const auto [it, added] = numbers.try_emplace({x, y}, static_cast<uint32_t>(pairs.size()));
    if (added) {
      out.add_state();
      out.states.back().final = a.states[x].final && b.states[y].final;
      pairs.emplace_back(x, y);
    }
    return it->second;
  };
  number_of(0, 0);
  for (uint32_t s = 0; s < pairs.size(); ++s) {
    if (pairs.size() > most) return std::nullopt;
    const auto [x, y] = pairs[s];
    for (const auto& e : a.states[x].edges) {
      for (const auto& f : b.states[y].edges) {
        const ByteSet both = e.bytes & f.bytes;
        if (both.empty()) continue;
        const uint32_t to = number_of(e.to, f.to);
        out.states[s].edges.push_back({both, to});
      }
    }
  }
  return trimmed(std::move(out));
}

Automaton complement(const Automaton& a) {
  Automaton out = a;
  const uint32_t elsewhere = out.add_state();
  for (State& s : out.states) {
    ByteSet known;
    for (const auto& e : s.edges) known |= e.bytes;
    if (const ByteSet others = ~known; !others.empty()) s.edges.push_back({others, elsewhere});
    s.final = !s.final;
  }
  return trimmed(std::move(out));
}

Automaton minimal(const Automaton& a) {
  // Moore: classes of states are split until all members of one have the same ways to classes.
  const size_t n = a.states.size();
  std::vector<uint32_t> part(n);
  for (size_t s = 0; s < n; ++s) part[s] = a.states[s].final ? 1 : 0;
  size_t parts = 0;
  for (;;) {
    using Signature = std::pair<uint32_t, std::vector<std::pair<uint32_t, ByteSet>>>;
    std::map<Signature, uint32_t> numbers;
    std::vector<uint32_t> next(n);
    for (size_t s = 0; s < n; ++s) {
      std::map<uint32_t, ByteSet> ways;
      for (const auto& e : a.states[s].edges) ways[part[e.to]] |= e.bytes;
      const auto number = static_cast<uint32_t>(numbers.size());
      next[s] = numbers.try_emplace({part[s], {ways.begin(), ways.end()}}, number).first->second;
    }
    part = std::move(next);
    if (numbers.size() == parts) break;
    parts = numbers.size();
  }
  Automaton out;
  out.states.resize(parts);  // part[0] is 0: the first state is numbered first
  for (size_t s = 0; s < n; ++s) {
    State& to = out.states[part[s]];
    if (!to.edges.empty()) continue;
    to.final = a.states[s].final;
    std::map<uint32_t, ByteSet> ways;
    for (const auto& e : a.states[s].edges) ways[part[e.to]] |= e.bytes;
    for (const auto& [t, bytes] : ways) to.edges.push_back({bytes, t});
  }
  return out;
}

bool accepts_nothing(const Automaton& a) {
  return !a.states[0].final && a.states[0].edges.empty() && a.states[0].calls.empty() &&
         a.states[0].empty.empty();
}

bool accepts(const Automaton& a, std::string_view text) {
  uint32_t at = 0;
  for (const char c : text) {
    const auto& edges = a.states[at].edges;
    const auto e = std::find_if(edges.begin(), edges.end(), [&](const auto& edge) {
      return edge.bytes.contains(static_cast<uint8_t>(c));
    });
    if (e == edges.end()) return false;
    at = e->to;
  }
  return a.states[at].final;
}

Automaton automaton_of_texts(const std::vector<std::string>& texts) {
  Automaton all;
  const uint32_t start = all.add_state();
  for (const std::string& text : texts) {
    uint32_t at = start;
    for (const char c : text) {
      const uint32_t next = all.add_state();
      all.states[at].edges.push_back({ByteSet::of(static_cast<uint8_t>(c)), next});
      at = next;
    }
    all.states[at].final = true;
  }
  make_deterministic(all, all.states.size() + 1);
  return all;
}

}  // namespace lmc::grammar
