#include "grammar/gbnf.h"

#include <map>
#include <optional>
#include <utility>

#include "grammar/text_cursor.h"

namespace lmc::grammar {
namespace {

constexpr int kMostNesting = 200;

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

class Gbnf {
 public:
  Gbnf(std::string_view text, const std::string& name) : in_(text, name) {
    if (text.size() > kMostGrammarBytes)
      throw Error(name + ": a grammar may have " + std::to_string(kMostGrammarBytes) + " bytes at most");
  }

  Grammar read() {
    for (skip_blank(true); !in_.at_end(); skip_blank(true)) read_rule();
    for (const auto& [name, rule] : rules_) {
      if (!rule.defined) in_.refuse_at(rule.first_use, "rule " + name + " is used, but not defined");
    }
    const auto root = rules_.find("root");
    if (root == rules_.end()) in_.refuse_at(0, "there is no rule root, with which a text begins");
    out_.set_root(root->second.id);
    return std::move(out_);
  }

 private:
  struct Rule {
    RuleId id = 0;
    size_t first_use = 0;
    bool defined = false;
  };

  // Blanks and comments; line ends too, if `lines`: otherwise one ends a rule.
  void skip_blank(bool lines) {
    for (;;) {
      const char c = in_.peek();
      if (c == '#') {
        while (!in_.at_end() && in_.peek() != '\n') in_.take();
      } else if (!in_.at_end() && (c == ' ' || c == '\t' || c == '\r' || (lines && c == '\n'))) {
        in_.take();
      } else {
        return;
      }
    }
  }

  std::string_view take_name() {
    const size_t begin = in_.position();
    while (is_name(in_.peek())) in_.take();
    if (in_.position() == begin) in_.refuse("a rule's name should stand here");
    return in_.from(begin);
  }

  Rule& rule_named(std::string_view name, size_t place) {
    const auto [it, added] = rules_.try_emplace(std::string(name));
    if (added) it->second = {out_.add_rule(std::string(name)), place, false};
    return it->second;
  }

  void read_rule() {
    const size_t begin = in_.position();
    const std::string_view name = take_name();
    Rule& rule = rule_named(name, begin);
    if (std::exchange(rule.defined, true))
      in_.refuse_at(begin, "rule " + std::string(name) + " is defined twice");
    const RuleId id = rule.id;
    skip_blank(false);
    if (!in_.skip("::=")) in_.refuse("::= should stand here");
    skip_blank(true);
    out_.define(id, alternatives(0));
    if (!in_.at_end() && in_.peek() != '\n') in_.refuse("a rule ends with its line; this is left over");
  }

  ExprId alternatives(int nesting) {
    if (nesting > kMostNesting)
      in_.refuse("groups may be nested " + std::to_string(kMostNesting) + " deep at most");
    std::vector<ExprId> ways = {sequence(nesting)};
    while (in_.skip("|")) {
      skip_blank(true);
      ways.push_back(sequence(nesting));
    }
    return out_.choice(std::move(ways));
  }

  ExprId sequence(int nesting) {
    std::vector<ExprId> parts;
    for (;;) {
      const std::optional<ExprId> one = item(nesting);
      if (!one) return out_.sequence(std::move(parts));
      skip_blank(nesting > 0);
      parts.push_back(repeated(*one, nesting));
    }
  }

  // A part of a sequence, without what repeats it; nothing where the sequence ends.
  std::optional<ExprId> item(int nesting) {
    const size_t begin = in_.position();
    const char c = in_.peek();
    if (in_.at_end() || c == '|' || c == ')' || c == '\n') return std::nullopt;
    if (in_.skip("\"")) return literal(begin);
    if (in_.skip("[")) return out_.character(character_class(begin));
    if (in_.skip(".")) return out_.character(CodePoints::all());
    if (in_.skip("(")) {
      skip_blank(true);
      const ExprId inner = alternatives(nesting + 1);
      if (!in_.skip(")")) in_.refuse_at(begin, "this ( has no )");
      return inner;
    }
    if (c == '<' || c == '!') in_.refuse("tokens in a grammar (<…>, !) are not supported: write their text");
    if (!is_name(c)) in_.refuse("a literal, a class, a group or a rule's name should stand here");
    const std::string_view name = take_name();
    return out_.rule(rule_named(name, begin).id);
  }

  ExprId repeated(ExprId one, int nesting) {
    const auto blank = [&] { skip_blank(nesting > 0); };
    while (const auto turns = in_.take_turns(kMostTurns, "a repetition is {n}, {n,} or {m,n}", blank)) {
      one = out_.repeat(one, turns->least, turns->most);
      blank();
    }
    return one;
  }

  ExprId literal(size_t begin) {
    std::string text;
    while (!in_.skip("\"")) {
      if (in_.at_end() || in_.peek() == '\n') in_.refuse_at(begin, "this literal has no second \"");
      const size_t at = in_.position();
      const uint32_t c = character();
      if (c >= 0xd800 && c <= 0xdfff) in_.refuse_at(at, "a surrogate is no character");
      text += utf8(c);
    }
    return out_.text(text);
  }

  CodePoints character_class(size_t begin) {
    const bool others = in_.skip("^");
    CodePoints out;
    while (!in_.skip("]")) {
      if (in_.at_end() || in_.peek() == '\n') in_.refuse_at(begin, "this [ has no ]");
      const size_t at = in_.position();
      const uint32_t first = character();
      uint32_t last = first;
      if (in_.peek() == '-' && in_.peek(1) != ']') {
        in_.take();
        if (in_.at_end() || in_.peek() == '\n') in_.refuse_at(begin, "this [ has no ]");
        last = character();
      }
      if (last < first) in_.refuse_at(at, "this range ends before it begins");
      out.add(first, last);
    }
    return others ? ~out : out;
  }

  uint32_t character() {
    const size_t begin = in_.position();
    if (!in_.skip("\\")) return in_.take_character();
    const char c = in_.at_end() ? '\0' : in_.take();
    switch (c) {
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      case 'x':
        return in_.take_hex(2);
      case 'u':
        return in_.take_hex(4);
      case 'U': {
        const uint32_t p = in_.take_hex(8);
        if (p > CodePoints::kLast) in_.refuse_at(begin, "there is no such code point");
        return p;
      }
      case '\\':
      case '"':
      case '[':
      case ']':
      case '-':
      case '^':
        return static_cast<uint8_t>(c);
      default:
        in_.refuse_at(begin, "there is no such escape");
    }
  }

  TextCursor in_;
  Grammar out_;
  std::map<std::string, Rule, std::less<>> rules_;
};

}  // namespace

Grammar grammar_of_gbnf(std::string_view text, const std::string& name) { return Gbnf(text, name).read(); }

}  // namespace lmc::grammar
