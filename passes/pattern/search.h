// The search for readings of a pattern: statement by statement along shared values, with backtracking.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "passes/pattern/chain.h"
#include "passes/pattern/match.h"

namespace lmc {

class Search {
 public:
  // See Pattern::readings.
  Search(const Graph& g, const Pattern& pattern, const Pattern::Refusal& refusal, size_t most,
         std::string* near);
  std::vector<Match> run(OpId anchor);

 private:
  // What is decided so far; copied before every attempt and put back behind it.
  struct State {
    enum class Statement : char { open, present, absent };
    std::map<std::string, ValueId> values;
    std::map<std::string, Attr> captures;
    std::set<std::string> absent;  // optional operands known not to be there
    std::vector<std::vector<OpId>> ops;
    std::vector<Statement> statements;
  };

  // These return whether some reading was found below.
  bool extend();
  bool try_candidates(size_t s);
  bool try_op(size_t s, OpId id);
  bool try_chains(size_t s);
  bool try_chain(size_t s, const Chain& chain);
  bool try_absent(size_t s);
  bool finish();

  std::optional<size_t> next_statement() const;
  bool reached(size_t s) const;
  std::vector<OpId> candidates(size_t s) const;
  bool bind_op(size_t s, OpId id, bool swapped);
  bool bind(const std::string& variable, ValueId v);
  bool bind_absent(const std::string& variable);
  bool bind_capture(const std::string& capture, const Attr& a);
  bool taken(OpId id) const;

  bool one_missing(size_t s) const;
  void remember(const std::string& why);
  bool refuse(size_t s, OpId id, const std::string& why);
  const PatternStatement& statement(size_t s) const { return pattern_.statements()[s]; }

  const Graph& g_;
  const Pattern& pattern_;
  const Pattern::Refusal& refusal_;
  size_t most_;
  std::string* near_;
  bool near_complete_ = false;  // *near_ speaks of a complete match
  int64_t steps_ = 0;
  State state_;
  std::vector<Match> found_;
};

}  // namespace lmc
