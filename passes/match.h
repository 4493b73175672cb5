// Patterns: IR statements matched as a set. The language is described in passes/README.md.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/syntax.h"

namespace lmc {

// Where a pattern applies: the op of each statement and the value of each variable.
struct Match {
  const Graph* graph = nullptr;
  std::vector<OpId> ops;                  // by statement
  std::map<std::string, ValueId> values;  // by variable, without %

  ValueId operator[](const std::string& variable) const { return values.at(variable); }
  const Type& type(const std::string& variable) const { return graph->type(values.at(variable)); }
};

class Pattern {
 public:
  // `text` in the syntax of IR statements; `origin` and `first_line` say where it stands, for errors. With
  // `open`, an op may have more operands than its statement says (optional ones such as a bias). Throws Error
  // for a text that can match nothing: an unknown op or attribute, statements that share no value.
  Pattern(const std::string& text, const std::string& origin, bool open = false, int first_line = 1);

  // All ops the first statement could stand for by name and attributes, in topological order.
  std::vector<OpId> anchors(const Graph& g) const;

  // A match whose first statement is `anchor`, or nothing; then `near` says what refused if all but one
  // statement matched.
  std::optional<Match> match_at(const Graph& g, OpId anchor, std::string* near) const;

  const std::vector<syntax::Statement>& statements() const { return statements_; }

 private:
  std::vector<syntax::Statement> statements_;
  bool open_;
};

}  // namespace lmc
