// A context-free grammar over bytes, as GBNF, a regular expression or a JSON Schema is translated to it.
// Nothing here knows where it came from.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "grammar/automaton.h"
#include "grammar/code_points.h"

namespace lmc::grammar {

using ExprId = uint32_t;
using RuleId = uint32_t;
inline constexpr int32_t kUnbounded = -1;  // as the most of a repetition

struct Expr {
  enum class Kind : uint8_t { bytes, sequence, choice, repeat, rule, automaton };
  Kind kind = Kind::sequence;
  ByteSet bytes;  // one of these
  std::vector<ExprId>
      parts;  // of a sequence (none: the empty text), a choice (none: no text at all), a repeat
  int32_t least = 0, most = 0;  // of a repeat
  uint32_t index = 0;           // of a rule; of an automaton
  uint32_t size = 1;            // states it takes, about; saturates

  auto operator<=>(const Expr&) const = default;
};

// Expressions are values: equal ones have one id. Every adding function throws Error once there are too many.
class Grammar {
 public:
  ExprId empty() { return sequence({}); }
  ExprId never() { return choice({}); }
  ExprId bytes(const ByteSet& set);
  ExprId text(std::string_view text);          // just these bytes
  ExprId character(const CodePoints& points);  // one of these, as UTF-8
  ExprId sequence(std::vector<ExprId> parts);
  ExprId choice(std::vector<ExprId> parts);
  ExprId repeat(ExprId part, int32_t least, int32_t most);
  ExprId optional(ExprId part) { return repeat(part, 0, 1); }
  // What it accepts; it calls nothing.
  ExprId automaton(Automaton automaton);

  // A rule may be used before it is defined. Names are for messages.
  RuleId add_rule(std::string name);
  void define(RuleId rule, ExprId is) { rules_[rule].is = is; }
  ExprId rule(RuleId rule);

  void set_root(RuleId rule) { root_ = rule; }
  RuleId root() const { return root_; }
  const Expr& expr(ExprId id) const { return exprs_[id]; }
  const Automaton& automaton_of(const Expr& e) const { return *automata_[e.index]; }
  size_t rules() const { return rules_.size(); }
  const std::string& name(RuleId rule) const { return rules_[rule].name; }
  ExprId definition(RuleId rule) const { return rules_[rule].is; }

 private:
  struct Rule {
    std::string name;
    ExprId is = 0;
  };
  ExprId add(Expr e);

  uint32_t size_with(const std::vector<ExprId>& parts) const;  // of an expression of these

  std::vector<Expr> exprs_;
  std::map<Expr, ExprId> ids_;
  std::vector<Rule> rules_;
  std::vector<std::unique_ptr<const Automaton>> automata_;
  RuleId root_ = 0;
};

}  // namespace lmc::grammar
