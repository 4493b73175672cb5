#include "passes/pattern/chain.h"

#include <algorithm>
#include <set>

namespace lmc {
namespace {

constexpr size_t kLongest = 64;  // ops in a chain
constexpr size_t kMost = 1024;   // chains looked at from one value

bool is_link(const Graph& g, const PatternStatement& s, OpId id) {
  return s.may_be(g.op(id).def) && g.op(id).results.size() == 1;
}

// The readers of a value, each once.
std::set<OpId> readers(const Graph& g, ValueId v) {
  std::set<OpId> out;
  for (const Use& u : g.value(v).uses) out.insert(u.op);
  return out;
}

// Only what one op alone reads can be inside a chain.
bool is_inner(const Graph& g, ValueId v) { return !g.is_output(v) && readers(g, v).size() == 1; }

void longest_first(std::vector<Chain>& chains) {
  std::stable_sort(chains.begin(), chains.end(),
                   [](const Chain& a, const Chain& b) { return a.ops.size() > b.ops.size(); });
}

}  // namespace

std::vector<Chain> chains_from(const Graph& g, const PatternStatement& s, ValueId from) {
  std::vector<Chain> out;
  for (OpId first : readers(g, from)) {
    Chain c{{}, from, from};
    for (OpId id = first; is_link(g, s, id) && c.ops.size() < kLongest && out.size() < kMost;) {
      c.ops.push_back(id);
      c.to = g.result(id);
      out.push_back(c);
      if (!is_inner(g, c.to)) break;
      id = *readers(g, c.to).begin();
    }
  }
  longest_first(out);
  return out;
}

std::vector<Chain> chains_to(const Graph& g, const PatternStatement& s, ValueId to) {
  std::vector<Chain> out;
  std::vector<Chain> pending{{{}, to, to}};  // from: what is to be made by one more op in front
  while (!pending.empty() && out.size() < kMost) {
    const Chain c = pending.back();
    pending.pop_back();
    const Value& v = g.value(c.from);
    if (v.kind != ValueKind::result || !is_link(g, s, v.def) || c.ops.size() >= kLongest) continue;
    const std::vector<ValueId>& operands = g.op(v.def).operands;
    for (ValueId o : std::set<ValueId>(operands.begin(), operands.end())) {
      Chain longer = c;
      longer.ops.insert(longer.ops.begin(), v.def);
      longer.from = o;
      out.push_back(longer);
      if (is_inner(g, o)) pending.push_back(std::move(longer));
    }
  }
  longest_first(out);
  return out;
}

}  // namespace lmc
