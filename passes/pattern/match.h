// Patterns: IR statements matched as a set. The language is described in passes/README.md.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "passes/pattern/datum.h"
#include "passes/pattern/statements.h"

namespace lmc {

// Where a pattern applies: one reading of it. What is optional and was not there has no op and, unless it
// stands for its operand, no value.
struct Match {
  const Graph* graph = nullptr;
  std::vector<OpId> ops;                                         // all that matched, the anchor first
  std::vector<std::vector<OpId>> by_statement;                   // none where absent, several for a chain
  std::map<std::string, ValueId> values;                         // by variable, without %
  std::map<std::string, Attr> captures;                          // {eps=$e}, without $
  std::map<std::string, std::vector<OpId>> captured_ops;         // $act:silu|relu(%x), likewise
  const std::map<std::string, std::string>* settings = nullptr;  // of the pass

  bool has(const std::string& variable) const { return values.contains(variable); }
  ValueId operator[](const std::string& variable) const;  // Error if it is not there
  const Type& type(const std::string& variable) const { return graph->type((*this)[variable]); }
  const Attr& attr(const std::string& capture) const;
  BoundNames bound_names() const { return {graph, &values, &captures, settings}; }
};

// A statement made ready for matching.
struct PatternStatement {
  struct AttrTest {
    std::string name;
    std::string capture;  // "" = must equal the constant
    Attr constant;
  };
  syntax::Statement text;
  std::vector<const OpDef*> ops;  // it may stand for one of these
  std::vector<AttrTest> attrs;
  size_t required_operands = 0;

  bool may_be(const OpDef* def) const;
  std::string str() const;  // "linear role=attn_k", for messages
};

class Pattern {
 public:
  // `at`: where the text begins, for errors. With `open`, an op may have more operands than its statement
  // says (optional ones such as a bias). Throws Error for a text that can match nothing: an unknown op or
  // attribute, statements that share no value.
  Pattern(const std::string& text, const Location& at, bool open = false);
  Pattern(const std::string& text, const std::string& origin, bool open = false, int first_line = 1)
      : Pattern(text, Location{origin, first_line}, open) {}

  // All ops the first statement that is not optional could stand for by name and attributes, in topological
  // order.
  std::vector<OpId> anchors(const Graph& g) const;

  // What else a reading must fulfil: "" if it does, else why not. May complete the match (its settings).
  using Refusal = std::function<std::string(Match&)>;

  // The readings at `anchor` that nothing refuses, the preferred first, at most `most`: what is optional is
  // there if it can be, a chain is as long as it can be. If there are none, `near` says what refused,
  // provided that all but one statement matched. Throws Error if the search gets out of hand.
  std::vector<Match> readings(const Graph& g, OpId anchor, const Refusal& refusal, size_t most,
                              std::string* near) const;

  // The preferred reading, or nothing.
  std::optional<Match> match_at(const Graph& g, OpId anchor, std::string* near) const;

  const std::vector<PatternStatement>& statements() const { return statements_; }
  const Location& location() const { return at_; }
  bool open() const { return open_; }
  size_t anchor_statement() const { return anchor_; }
  KnownNames names() const;  // what conditions may speak of, but for settings

 private:
  std::vector<PatternStatement> statements_;
  Location at_;
  bool open_;
  size_t anchor_ = 0;
};

}  // namespace lmc
