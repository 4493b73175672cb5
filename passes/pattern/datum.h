// What an expression of a pass's text stands for: in conditions, in attributes of replacements, in constants
// of patterns.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/syntax.h"
#include "ir/variant.h"

namespace lmc {

// A truth, a number, a word (dtype, role, op, T), a list, or a value of the graph.
struct Datum {
  Variant<bool, int64_t, double, std::string, std::vector<Datum>, ValueId> v;

  std::string str() const;
};

// What names in an expression mean at the place where a pattern matched.
struct BoundNames {
  const Graph* graph = nullptr;  // null: constants only
  const std::map<std::string, ValueId>* values = nullptr;
  const std::map<std::string, Attr>* captures = nullptr;
  const std::map<std::string, std::string>* settings = nullptr;
};

// Throws Error at the place in the text: a value the match lacks, words in arithmetic, overflow, division by
// zero.
Datum evaluate(const syntax::Expr& e, const BoundNames& b);
bool holds(const syntax::Expr& e, const BoundNames& b);  // Error unless it is a truth
Datum from_attr(const Attr& a);
Attr to_attr(const Datum& d, const Location& at);  // Error unless it can be one
// The value `e` names. Error if the match lacks it.
ValueId value_of(const syntax::Expr& e, const BoundNames& b);

bool datum_equal(const Datum& a, const Datum& b);  // 2 == 2.0; things of different kinds differ

// What a text may speak of; for the check before anything runs.
struct KnownNames {
  std::set<std::string> values, captures, settings;
};
// Throws Error for unknown names and functions, and for arguments no function could take.
void check_expression(const syntax::Expr& e, const KnownNames& known);

// A function of the expression language: rows(%w), max(a, b).
struct TextFunction {
  enum class Argument { value, number, word };
  std::string name;
  std::vector<Argument> arguments;
  std::string doc;
  std::function<Datum(const syntax::Expr& call, const BoundNames&)> run;
};
const std::vector<TextFunction>& text_functions();  // by name

}  // namespace lmc
