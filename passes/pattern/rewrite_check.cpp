// What a replacement may read and define, checked before it is ever applied.
#include <algorithm>
#include <set>

#include "ir/names.h"
#include "ir/op_def.h"
#include "passes/pattern/rewrite.h"

namespace lmc {
namespace {

using syntax::Statement;

class Checker {
 public:
  Checker(const Pattern& pattern, const std::set<std::string>& settings)
      : pattern_(pattern), names_(pattern.names()) {
    names_.settings = settings;
    for (const PatternStatement& p : pattern.statements())
      made_.insert(p.text.results.begin(), p.text.results.end());
    std::set<std::string> certain;
    for (const PatternStatement& p : pattern.statements()) {
      for (size_t i = 0; i < p.text.operands.size(); ++i) {
        const auto& o = p.text.operands[i];
        if (made_.contains(o.name)) continue;
        readable_.insert(o.name);
        if (!o.optional && (!p.text.optional || i == 0)) certain.insert(o.name);
      }
    }
    outside_ = readable_;
    std::set_difference(readable_.begin(), readable_.end(), certain.begin(), certain.end(),
                        std::inserter(uncertain_, uncertain_.end()));
  }

  void statement(const Statement& s) {
    if (s.has_body || !s.types.empty()) throw Error(s.loc, "a replacement states neither types nor bodies");
    if (s.repeat || s.op.find('|') != std::string::npos)
      throw Error(s.loc, "a replacement names one op, or $one that the pattern captured");
    call(s);
    reads(s);
    for (const auto& a : s.attrs) check_expression(a.value, names_);
    for (const std::string& r : s.results) define(s, r);
  }

 private:
  void call(const Statement& s) {
    if (s.capture.empty()) {
      const std::vector<const OpDef*> ops = ops_named(s.op, s.loc);
      if (ops.size() != 1 || ops[0]->name != s.op) throw Error(s.loc, s.op + " is a class of ops, not one");
      return check_call_of(*ops[0], s);
    }
    if (!s.op.empty()) throw Error(s.loc, "an op is captured by the pattern, not by the replacement");
    const Statement* captured = nullptr;
    std::vector<std::string> known;
    for (const PatternStatement& p : pattern_.statements()) {
      if (p.text.capture == s.capture) captured = &p.text;
      if (!p.text.capture.empty()) known.push_back(p.text.capture);
    }
    if (!captured)
      throw Error(s.loc, "the pattern captures no op $" + s.capture + did_you_mean(s.capture, known));
    if (s.results.size() != captured->results.size())
      throw Error(s.loc, "$" + s.capture + " has another number of results");
    if (captured->repeat && (s.operands.size() != 1 || !s.attrs.empty()))
      throw Error(s.loc, "$" + s.capture + " is a chain: it takes one value and no attributes");
    if (!captured->repeat && s.operands.size() < 1)
      throw Error(s.loc, "$" + s.capture + " needs its operands");
  }

  void reads(const Statement& s) const {
    for (const auto& o : s.operands) {
      if (o.kind != syntax::Operand::Kind::value) throw Error(o.loc, "operands of a replacement are %values");
      if (!readable_.contains(o.name)) {
        throw Error(o.loc, "%" + o.name +
                               (made_.contains(o.name) ? " is made by a matched op, which is replaced"
                                                       : " is not defined"));
      }
      if (uncertain_.contains(o.name) && !o.optional && !s.optional) {
        throw Error(o.loc, "%" + o.name + " may not be there: write %" + o.name +
                               "? to leave the operand out then, or make the statement optional");
      }
    }
  }

  void define(const Statement& s, const std::string& r) {
    if (outside_.contains(r))
      throw Error(s.loc, "%" + r + " comes from outside the match and cannot be redefined");
    if (!defined_.insert(r).second) throw Error(s.loc, "%" + r + " is defined twice");
    readable_.insert(r);
    names_.values.insert(r);
    if (!s.optional) return;
    if (s.results.size() != 1 || s.operands.empty())
      throw Error(s.loc, "an optional statement has one result and an operand");
    const bool mirrors = std::any_of(
        pattern_.statements().begin(), pattern_.statements().end(),
        [&](const PatternStatement& p) { return p.text.optional && p.text.results == s.results; });
    if (mirrors) return;
    if (made_.contains(r)) {
      throw Error(s.loc, "%" + r + " always matched, so what replaces it cannot be optional");
    }
    uncertain_.insert(r);
  }

  const Pattern& pattern_;
  KnownNames names_;
  std::set<std::string> made_;       // by the pattern
  std::set<std::string> outside_;    // read by the pattern
  std::set<std::string> readable_;   // by the replacement, so far
  std::set<std::string> uncertain_;  // of those: may not be there
  std::set<std::string> defined_;
};

}  // namespace

void Rewrite::check(const Pattern& pattern, const std::set<std::string>& settings) const {
  Checker checker(pattern, settings);
  for (const Statement& s : statements_) checker.statement(s);
}

}  // namespace lmc
