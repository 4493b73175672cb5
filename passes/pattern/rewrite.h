// Applying a match: replacement statements in its place, or the matched ops wrapped into one group.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "passes/pattern/match.h"

namespace lmc {

class Rewrite {
 public:
  Rewrite(const std::string& text, const Location& at);
  Rewrite(const std::string& text, const std::string& origin, int first_line = 1)
      : Rewrite(text, Location{origin, first_line}) {}

  // Throws Error if the text, put in the place of what `pattern` matched, reads or defines what it must not,
  // or calls what is no op. `settings` are the pass's.
  void check(const Pattern& pattern, const std::set<std::string>& settings = {}) const;

  // Adds the replacement ops, redirects the uses of every matched result the text defines again, and erases
  // the matched ops. Throws Error, the graph then being half-done, if a type changes.
  void apply(Graph& g, const Pattern& pattern, const Match& m) const;

  // Results of the matched ops that the text does not define: they vanish, so nothing else may use them.
  std::vector<ValueId> vanishing(const Match& m) const;

  // Do two readings of the same ops come to the same graph, but for the order of operands that may be
  // exchanged?
  bool same_result(const Pattern& pattern, const Match& a, const Match& b) const;

 private:
  std::vector<syntax::Statement> statements_;
};

// Wraps `ops` into one `group` op called `name`. They must be convex. Returns the group, whose place is
// `asked_at`: where somebody wanted it, not where the model says what is in it.
OpId make_group(Graph& g, const std::vector<OpId>& ops, const std::string& name,
                const Location& asked_at = {});

// Why `ops` cannot be replaced as one: "" if they can. `vanishing` may have no reader outside `ops`.
std::string replace_obstacle(const Graph& g, const std::vector<OpId>& ops,
                             const std::vector<ValueId>& vanishing);

}  // namespace lmc
