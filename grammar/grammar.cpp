#include "grammar/grammar.h"

#include <algorithm>
#include <utility>

#include "ir/error.h"

namespace lmc::grammar {
namespace {

constexpr size_t kMostExprs = size_t{1} << 20;
constexpr size_t kMostRules = size_t{1} << 18;
constexpr uint64_t kMostSize = uint64_t{1} << 30;

uint32_t saturated(uint64_t size) { return static_cast<uint32_t>(std::min(size, kMostSize)); }

}  // namespace

ExprId Grammar::add(Expr e) {
  const auto [it, added] = ids_.try_emplace(e, static_cast<ExprId>(exprs_.size()));
  if (!added) return it->second;
  if (exprs_.size() >= kMostExprs)
    throw Error("the grammar is too large: more than " + std::to_string(kMostExprs) + " parts");
  exprs_.push_back(std::move(e));
  return it->second;
}

ExprId Grammar::bytes(const ByteSet& set) {
  if (set.empty()) return never();
  Expr e;
  e.kind = Expr::Kind::bytes;
  e.bytes = set;
  return add(std::move(e));
}

ExprId Grammar::text(std::string_view text) {
  std::vector<ExprId> parts;
  for (const char c : text) parts.push_back(bytes(ByteSet::of(static_cast<uint8_t>(c))));
  return sequence(std::move(parts));
}

ExprId Grammar::character(const CodePoints& points) {
  std::vector<ExprId> ways;
  for (const std::vector<ByteSet>& way : utf8_ways(points)) {
    std::vector<ExprId> parts;
    for (const ByteSet& set : way) parts.push_back(bytes(set));
    ways.push_back(sequence(std::move(parts)));
  }
  return choice(std::move(ways));
}

uint32_t Grammar::size_with(const std::vector<ExprId>& parts) const {
  uint64_t size = 1;
  for (const ExprId p : parts) size += exprs_[p].size;
  return saturated(size);
}

ExprId Grammar::sequence(std::vector<ExprId> parts) {
  if (parts.size() == 1) return parts[0];
  Expr e;
  e.kind = Expr::Kind::sequence;
  e.size = size_with(parts);
  e.parts = std::move(parts);
  return add(std::move(e));
}

ExprId Grammar::choice(std::vector<ExprId> parts) {
  std::vector<ExprId> distinct;
  ByteSet single;  // ways of one byte are one
  for (const ExprId p : parts) {
    if (exprs_[p].kind == Expr::Kind::bytes)
      single |= exprs_[p].bytes;
    else
      distinct.push_back(p);
  }
  if (!single.empty()) distinct.push_back(bytes(single));
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  if (distinct.size() == 1) return distinct[0];
  Expr e;
  e.kind = Expr::Kind::choice;
  e.size = size_with(distinct);
  e.parts = std::move(distinct);
  return add(std::move(e));
}

ExprId Grammar::repeat(ExprId part, int32_t least, int32_t most) {
  if (least == 1 && most == 1) return part;
  if (most == 0) return empty();
  Expr e;
  e.kind = Expr::Kind::repeat;
  e.parts = {part};
  e.least = least;
  e.most = most;
  e.size = saturated(uint64_t{exprs_[part].size} *
                     static_cast<uint64_t>(std::max({most, least + (most == kUnbounded ? 1 : 0), 1})));
  return add(std::move(e));
}

ExprId Grammar::automaton(Automaton automaton) {
  Expr e;
  e.kind = Expr::Kind::automaton;
  e.index = static_cast<uint32_t>(automata_.size());
  e.size = saturated(automaton.states.size());
  automata_.push_back(std::make_unique<const Automaton>(std::move(automaton)));
  return add(std::move(e));
}

RuleId Grammar::add_rule(std::string name) {
  if (rules_.size() >= kMostRules)
    throw Error("the grammar is too large: more than " + std::to_string(kMostRules) + " rules");
  rules_.push_back({std::move(name), never()});
  return static_cast<RuleId>(rules_.size() - 1);
}

ExprId Grammar::rule(RuleId rule) {
  Expr e;
  e.kind = Expr::Kind::rule;
  e.index = rule;
  return add(std::move(e));
}

}  // namespace lmc::grammar
