// Applying a match: replacement statements in its place, or the matched ops wrapped into one group.
#pragma once

#include <string>
#include <vector>

#include "passes/match.h"

namespace lmc {

class Rewrite {
 public:
  Rewrite(const std::string& text, const std::string& origin, int first_line = 1);

  // Throws Error if the text, put in the place of `pattern`, reads or defines what it must not.
  void check(const std::vector<syntax::Statement>& pattern) const;

  // Adds the replacement ops, redirects the uses of every matched result the text defines again, and erases
  // the matched ops. Attributes may be expressions over rows(%w) and cols(%w). Throws Error if a type
  // changes.
  void apply(Graph& g, const Match& m) const;

  // Results of the match that the text does not define: they vanish, so nothing else may use them.
  std::vector<std::string> vanishing(const std::vector<syntax::Statement>& pattern) const;

 private:
  std::vector<syntax::Statement> statements_;
};

// Wraps `ops` into one `group` op called `name`. They must be convex. Returns the group.
OpId make_group(Graph& g, const std::vector<OpId>& ops, const std::string& name);

// Why `ops` cannot be replaced as one: "" if they can. `vanishing` may have no reader outside `ops`.
std::string replace_obstacle(const Graph& g, const std::vector<OpId>& ops,
                             const std::vector<ValueId>& vanishing);

}  // namespace lmc
