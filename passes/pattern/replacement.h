// Building the ops of a replacement, in the graph itself or in a scratch graph to compare two readings by.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "passes/pattern/match.h"

namespace lmc {

class Replacement {
 public:
  // `to` may be the matched graph; `import` says what a value of the matched graph is called in `to`.
  Replacement(Graph& to, const Pattern& pattern, const Match& m, std::function<ValueId(ValueId)> import);

  // Adds what the statement says. Throws Error at the statement if it does not fit.
  void add(const syntax::Statement& s);

  // What now stands for each value that was made by a matched op, in the order it was defined again.
  struct Replaced {
    ValueId old, made;
  };
  const std::vector<Replaced>& replaced() const { return replaced_; }

 private:
  bool absent(const syntax::Statement& s) const;
  void add_alias(const syntax::Statement& s);
  void add_op(const syntax::Statement& s, const OpDef& def, AttrMap attrs);
  void add_chain(const syntax::Statement& s, const std::vector<OpId>& chain);
  std::vector<ValueId> operands(const syntax::Statement& s) const;
  void define(const syntax::Statement& s, const std::string& variable, ValueId made);
  std::string name_for(const syntax::Statement& s, const std::string& variable) const;

  Graph& to_;
  const Pattern& pattern_;
  const Match& m_;
  std::function<ValueId(ValueId)> import_;
  std::string scope_;
  Location loc_;
  std::map<std::string, ValueId> values_;  // in to_
  std::vector<Replaced> replaced_;
};

// Is the value the result of an op that matched? Only such values can be replaced.
bool made_by_match(const Match& m, ValueId v);

}  // namespace lmc
