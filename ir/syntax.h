// The text form as a syntax tree, before names and types mean anything. Shared by IR files, patterns,
// rewrites and model definitions, which differ only in what they allow (`$config`, `%pattern` values,
// expressions).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/error.h"

namespace lmc::syntax {

// Attribute values and dimensions: 12, 1e-6, name, "text", $config, %value, [a, b], rows(%w), a * (b + 1),
// -a, a == b, a != b, a < b, a > b, a <= b, a >= b, a && b, a || b, !a, `if(cond, a, b)` as a call.
struct Expr {
  enum class Kind { integer, real, name, text, config, value, weight, list, call, binary, unary };
  Kind kind = Kind::integer;
  int64_t integer = 0;
  double real = 0;
  std::string text;  // name, string, config key, value name, function or operator
  std::vector<Expr> args;
  Location loc;
  bool grouped = false;  // stood in parentheses
  int height = 1;        // of the tree: 1 without args; what walks over it recurses so deep
};

// Sets the height of `e`, whose args are complete. Error at its place if it is more than a recursion may
// take, whatever it is that nests: brackets, operators in a row, calls.
Expr measured(Expr e);

struct Statement;

struct Operand {
  enum class Kind { value, weight, call };
  Kind kind = Kind::value;
  std::string name;                 // without % or @
  std::shared_ptr<Statement> call;  // nested op: slice(@w, ...) {..}
  bool optional = false;            // patterns: %b?
  Location loc;
};

struct TypeExpr {
  std::string dtype;
  std::vector<Expr> dims;
  Location loc;
};

struct AttrExpr {
  std::string name;
  Expr value;
  Location loc;
};

// %a, %b = op(%x, @w) {attr=1} : f32[T,4], f32[T,4]      and for groups a body `{ … }` behind the types,
// which is not kept here
struct Statement {
  std::vector<std::string> results;
  std::string op;
  std::vector<Operand> operands;
  std::vector<AttrExpr> attrs;
  std::vector<TypeExpr> types;
  bool has_body = false;
  std::string scope;  // from the `scope a.b` line above it
  Location loc;
  // Patterns and replacements only: `optional %q = quantize(%h)`, `%y = $act:silu|relu(%x)`,
  // `%y = elementwise+(%x)`.
  bool optional = false;
  std::string capture;
  char repeat = 0;  // '+', '*' or 0
};

struct Param {
  std::string name;
  TypeExpr type;
  Location loc;
};

// Takes a graph while it is read, part by part in the order of the text: the tree of a whole file would take
// many times the file. A statement of more than kMostParts (names, operands, attributes, items of lists, each
// counted with those around it) is refused.
//
//   graph @name (%in: type, …) { weight @w : type … statements … return %out, … }
class GraphSink {
 public:
  virtual ~GraphSink() = default;
  virtual void input(const Param&) = 0;
  virtual void weight(const Param&) = 0;
  virtual void statement(Statement s) = 0;  // without a body
  // A statement with one: what is in the body goes to the sink that this returns, until the body ends.
  virtual GraphSink& begin_body(Statement s) = 0;
  virtual void end_body() = 0;
  virtual void output(const Operand&) = 0;
};
inline constexpr size_t kMostParts = size_t{1} << 17;

// Reads a whole `graph` and returns its name. Throws Error with line and column. `at` is where the text
// begins.
std::string read_graph_text(std::string_view text, const Location& at, GraphSink& sink);
// Without a sink: is it well-formed?
std::string read_graph_text(std::string_view text, const Location& at);

// Parses bare statements (a pattern, a rewrite, a layer of a model file). Weight declarations are not
// allowed.
std::vector<Statement> parse_statements(std::string_view text, const std::string& file, int first_line = 1);

// Parses the statements of a pattern or of what replaces it: passes/README.md has the language. `at` is where
// the text begins.
std::vector<Statement> parse_pattern(std::string_view text, const Location& at);

// Parses a condition of a pass: `dtype(%a) == dtype(%b) and not $eps < 0`. The words and, or, not and in are
// operators; a chain a == b == c is a == b and b == c; `in` and the words come out as "in", "&&", "||" and
// "!".
Expr parse_condition(std::string_view text, const Location& at);
class Lexer;
Expr parse_condition(Lexer& lex);  // reads as far as the condition goes

// Parses one expression: "$dim * 4".
Expr parse_expr(std::string_view text, const std::string& file, int first_line = 1);

std::string expr_text(const Expr& e);

// May the text form call something so? Graphs and weights: letters, digits and _ . / - : ; values: letters,
// digits, _ and . ; scopes: the same, beginning with a letter. Bodies of groups may stand in each other so
// deep.
inline constexpr int kMostGroups = 32;
bool is_value_name(std::string_view name);
bool is_weight_name(std::string_view name);
bool is_scope_name(std::string_view name);

}  // namespace lmc::syntax
