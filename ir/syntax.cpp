// Recursive descent over the tokens of ir/lexer.h.
#include "ir/syntax.h"

#include <algorithm>

#include "ir/lexer.h"

namespace lmc::syntax {
namespace {

// Deeper nesting is refused rather than risked on the stack.
constexpr int kMaxDepth = 64;
// Of an expression's tree, in which operators in a row nest to the left.
constexpr int kMaxHeight = 1000;

class Parser {
 public:
  // `pattern`: what only patterns, replacements and conditions of passes may say.
  explicit Parser(Lexer& lex, bool pattern = false) : lex_(lex), pattern_(pattern) {}

  std::string graph(GraphSink& sink) {
    if (!lex_.at_name("graph")) lex_.fail("'graph'");
    lex_.take();
    if (lex_.peek().kind != Tok::weight) lex_.fail("the graph's name, such as @main");
    std::string name = lex_.take().text;
    params(sink);
    lex_.expect("{", "before the graph's statements");
    body(sink);
    if (lex_.peek().kind != Tok::end) lex_.fail("the end of the text behind the graph");
    return name;
  }

  void statements(GraphSink& sink) {
    std::string scope;
    while (lex_.peek().kind != Tok::end) {
      if (!scope_line(scope)) statement(scope, sink);
    }
  }

  Expr whole_expr() {
    Expr e = expr(0);
    if (lex_.peek().kind != Tok::end) lex_.fail("the end of the expression");
    return e;
  }

  Expr part_expr() { return expr(0); }

 private:
  struct Depth {
    explicit Depth(Parser& p) : parser(p) {
      if (++parser.depth_ > kMaxDepth) throw Error(parser.lex_.peek().loc, "nested too deeply");
    }
    ~Depth() { --parser.depth_; }
    Parser& parser;
  };

  // Parts count as long as they are kept.
  struct Parts {
    explicit Parts(Parser& p) : parser(p), before(p.parts_) {}
    ~Parts() { parser.parts_ = before; }
    Parser& parser;
    const size_t before;
  };

  void count_parts(size_t n = 1) {
    parts_ += n;
    if (parts_ > kMostParts)
      throw Error(lex_.peek().loc, "a statement of more than " + std::to_string(kMostParts) + " parts");
  }

  void params(GraphSink& sink) {
    lex_.expect("(", "before the inputs");
    for (bool first = true; !lex_.at(")"); first = false) {
      const Parts parts(*this);
      if (!first) lex_.expect(",", "between inputs");
      if (lex_.peek().kind != Tok::value) lex_.fail("an input such as %x");
      const Token name = lex_.take();
      lex_.expect(":", "before the input's type");
      sink.input({name.text, type(), name.loc});
    }
    lex_.take();
  }

  // Everything between the braces of a graph or a group's body.
  void body(GraphSink& sink) {
    std::string scope;
    for (;;) {
      if (lex_.at("}")) lex_.fail("'return' before the closing brace");
      if (lex_.peek().kind == Tok::end) lex_.fail("'return' and a closing brace");
      if (lex_.at_name("return")) break;
      if (lex_.at_name("weight")) {
        const Parts parts(*this);
        lex_.take();
        if (lex_.peek().kind != Tok::weight) lex_.fail("a weight such as @w");
        const Token name = lex_.take();
        lex_.expect(":", "before the weight's type");
        sink.weight({name.text, type(), name.loc});
      } else if (!scope_line(scope)) {
        statement(scope, sink);
      }
    }
    lex_.take();
    for (bool first = true; !lex_.at("}"); first = false) {
      const Parts parts(*this);
      if (!first) lex_.expect(",", "between outputs");
      sink.output(operand());
    }
    lex_.take();
  }

  bool scope_line(std::string& scope) {
    if (!lex_.at_name("scope")) return false;
    lex_.take();
    if (lex_.peek().kind == Tok::text && lex_.peek().text.empty()) {
      lex_.take();
      scope.clear();
      return true;
    }
    if (lex_.peek().kind != Tok::name) lex_.fail("a scope such as layers.0.attention");
    scope = lex_.take().text;
    return true;
  }

  void statement(const std::string& scope, GraphSink& sink) {
    const Parts parts(*this);
    Statement s;
    s.scope = scope;
    s.loc = lex_.peek().loc;
    if (pattern_ && lex_.at_name("optional")) {
      lex_.take();
      s.optional = true;
    }
    do {
      if (lex_.peek().kind != Tok::value) lex_.fail("a statement such as %y = op(%x)");
      count_parts();
      s.results.push_back(lex_.take().text);
    } while (lex_.accept(","));
    lex_.expect("=", "behind the results");
    call(s);
    if (lex_.accept(":")) {
      do {
        s.types.push_back(type());
      } while (lex_.accept(","));
    }
    if (!lex_.at("{")) return sink.statement(std::move(s));
    const Depth depth(*this);
    lex_.take();
    if (!lex_.at_name("inputs")) lex_.fail("'inputs (…)' at the start of the body");
    lex_.take();
    s.has_body = true;
    GraphSink& inside = sink.begin_body(std::move(s));
    params(inside);
    body(inside);
    sink.end_body();
  }

  // op(operands) {attributes}
  void call(Statement& s) {
    const Depth depth(*this);
    count_parts(3);
    op_name(s);
    lex_.expect("(", "behind the op's name");
    while (!lex_.at(")")) {
      if (!s.operands.empty()) lex_.expect(",", "between operands");
      s.operands.push_back(operand());
    }
    lex_.take();
    if (lex_.accept("{")) {
      while (!lex_.at("}")) {
        if (!s.attrs.empty()) lex_.expect(",", "between attributes");
        if (lex_.peek().kind != Tok::name) lex_.fail("an attribute such as eps=1e-6");
        count_parts();
        const Token name = lex_.take();
        lex_.expect("=", "behind the attribute's name");
        s.attrs.push_back({name.text, expr(0), name.loc});
      }
      lex_.take();
    }
  }

  void op_name(Statement& s) {
    if (pattern_ && lex_.peek().kind == Tok::config) {
      s.capture = lex_.take().text;
      if (!lex_.accept(":")) return;  // in a replacement: the op that was captured
    }
    if (lex_.peek().kind != Tok::name) lex_.fail("the name of an op");
    s.op = lex_.take().text;
    if (!pattern_) return;
    while (lex_.accept("|")) {
      if (lex_.peek().kind != Tok::name) lex_.fail("the name of an op behind '|'");
      s.op += "|" + lex_.take().text;
    }
    for (const char* sign : {"+", "*"}) {
      if (lex_.accept(sign)) {
        s.repeat = *sign;
        return;
      }
    }
  }

  Operand operand() {
    count_parts();
    const Token& t = lex_.peek();
    Operand o;
    o.loc = t.loc;
    if (t.kind == Tok::value || t.kind == Tok::weight) {
      o.kind = t.kind == Tok::value ? Operand::Kind::value : Operand::Kind::weight;
      o.name = lex_.take().text;
      o.optional = pattern_ && lex_.accept("?");
      return o;
    }
    const bool captured = pattern_ && t.kind == Tok::config;
    if (t.kind != Tok::name && !captured) lex_.fail("an operand: %value, @weight or op(…)");
    o.kind = Operand::Kind::call;
    o.call = std::make_shared<Statement>();
    o.call->loc = t.loc;
    call(*o.call);
    return o;
  }

  TypeExpr type() {
    count_parts();
    TypeExpr t;
    t.loc = lex_.peek().loc;
    if (lex_.peek().kind != Tok::name) lex_.fail("a type such as f32[T,64]");
    t.dtype = lex_.take().text;
    lex_.expect("[", "behind the type's format");
    while (!lex_.at("]")) {
      if (!t.dims.empty()) lex_.expect(",", "between dimensions");
      t.dims.push_back(expr(0));
    }
    lex_.take();
    return t;
  }

  static bool compares(const std::string& op) {
    return op == "==" || op == "!=" || op == "<" || op == ">" || op == "<=" || op == ">=" || op == "in";
  }

  // The operator the next token is, or "".
  std::string binary_operator() const {
    const Token& t = lex_.peek();
    if (t.kind == Tok::punct) return t.text;
    if (!pattern_ || t.kind != Tok::name) return "";
    return t.text == "and" ? "&&" : t.text == "or" ? "||" : t.text == "in" ? "in" : "";
  }

  int precedence(const std::string& op) const {
    if (pattern_ && compares(op)) return 3;
    if (op == "||") return 1;
    if (op == "&&") return 2;
    if (op == "==" || op == "!=") return 3;
    if (op == "<" || op == ">" || op == "<=" || op == ">=") return 4;
    if (op == "+" || op == "-") return 5;
    if (op == "*" || op == "/" || op == "%") return 6;
    return 0;
  }

  Expr expr(int least) {
    const Depth depth(*this);
    count_parts();
    Expr left = unary();
    for (std::string op = binary_operator(); precedence(op) > least; op = binary_operator()) {
      const Location loc = lex_.take().loc;
      Expr right = expr(precedence(op));
      if (pattern_ && compares(op)) {
        left = chained(std::move(left), op, std::move(right), loc);
      } else {
        left = binary(std::move(left), op, std::move(right), loc);
      }
    }
    return left;
  }

  static Expr binary(Expr left, const std::string& op, Expr right, const Location& loc) {
    Expr e;
    e.kind = Expr::Kind::binary;
    e.text = op;
    e.loc = loc;
    e.args.push_back(std::move(left));
    e.args.push_back(std::move(right));
    return measured(std::move(e));
  }

  // a == b == c: every neighbouring pair must hold, as in mathematics.
  static Expr chained(Expr left, const std::string& op, Expr right, const Location& loc) {
    const bool chain = left.kind == Expr::Kind::binary && !left.grouped;
    if (chain && compares(left.text)) {
      Expr middle = left.args[1];
      return binary(std::move(left), "&&", binary(std::move(middle), op, std::move(right), loc), loc);
    }
    if (chain && left.text == "&&" && compares(left.args[1].text)) {
      Expr middle = left.args[1].args[1];
      return binary(std::move(left), "&&", binary(std::move(middle), op, std::move(right), loc), loc);
    }
    return binary(std::move(left), op, std::move(right), loc);
  }

  Expr unary() {
    if (pattern_ && lex_.at_name("not")) {  // binds less than a comparison
      const Depth depth(*this);
      Expr e;
      e.kind = Expr::Kind::unary;
      e.text = "!";
      e.loc = lex_.take().loc;
      e.args.push_back(expr(2));
      return measured(std::move(e));
    }
    if (lex_.at("-") || lex_.at("!")) {
      const Depth depth(*this);
      const Token op = lex_.take();
      Expr e;
      e.loc = op.loc;
      Expr inner = unary();
      if (op.text == "-" && inner.kind == Expr::Kind::integer) {
        inner.integer = -inner.integer;
        return inner;
      }
      if (op.text == "-" && inner.kind == Expr::Kind::real) {
        inner.real = -inner.real;
        return inner;
      }
      e.kind = Expr::Kind::unary;
      e.text = op.text;
      e.args.push_back(std::move(inner));
      return measured(std::move(e));
    }
    return primary();
  }

  Expr primary() {
    Expr e;
    e.loc = lex_.peek().loc;
    if (lex_.accept("(")) {
      e = expr(0);
      e.grouped = true;
      lex_.expect(")", "behind the expression");
      return e;
    }
    if (lex_.accept("[")) {
      e.kind = Expr::Kind::list;
      while (!lex_.at("]")) {
        if (!e.args.empty()) lex_.expect(",", "between list items");
        e.args.push_back(expr(0));
      }
      lex_.take();
      return measured(std::move(e));
    }
    const Tok kind = lex_.peek().kind;
    if (kind == Tok::end || kind == Tok::punct) lex_.fail("a value");
    const Token t = lex_.take();
    e.text = t.text;
    switch (t.kind) {
      case Tok::integer:
        e.kind = Expr::Kind::integer;
        e.integer = t.integer;
        break;
      case Tok::real:
        e.kind = Expr::Kind::real;
        e.real = t.real;
        break;
      case Tok::text:
        e.kind = Expr::Kind::text;
        break;
      case Tok::config:
        e.kind = Expr::Kind::config;
        break;
      case Tok::value:
        e.kind = Expr::Kind::value;
        break;
      case Tok::weight:
        e.kind = Expr::Kind::weight;
        break;
      default:
        e.kind = Expr::Kind::name;
        if (lex_.accept("(")) {
          e.kind = Expr::Kind::call;
          while (!lex_.at(")")) {
            if (!e.args.empty()) lex_.expect(",", "between arguments");
            e.args.push_back(expr(0));
          }
          lex_.take();
        }
    }
    return measured(std::move(e));
  }

  Lexer& lex_;
  bool pattern_;
  int depth_ = 0;
  size_t parts_ = 0;  // of the statement that is read, and those around it
};

// Of a text that only has to be well-formed.
struct Nothing : GraphSink {
  void input(const Param&) override {}
  void weight(const Param&) override {}
  void statement(Statement) override {}
  GraphSink& begin_body(Statement) override { return *this; }
  void end_body() override {}
  void output(const Operand&) override {}
};

// Statements alone, without what is in their bodies.
struct Collected : Nothing {
  void statement(Statement s) override { all.push_back(std::move(s)); }
  GraphSink& begin_body(Statement s) override {
    all.push_back(std::move(s));
    return nothing;
  }

  std::vector<Statement> all;
  Nothing nothing;
};

std::vector<Statement> collected(Parser parser) {
  Collected out;
  parser.statements(out);
  return std::move(out.all);
}

}  // namespace

Expr measured(Expr e) {
  int below = 0;
  for (const Expr& a : e.args) below = std::max(below, a.height);
  e.height = below + 1;
  if (e.height > kMaxHeight) throw Error(e.loc, "too long an expression");
  return e;
}

std::string read_graph_text(std::string_view text, const Location& at, GraphSink& sink) {
  Lexer lex(text, at);
  return Parser(lex).graph(sink);
}

std::string read_graph_text(std::string_view text, const Location& at) {
  Nothing nothing;
  return read_graph_text(text, at, nothing);
}

std::vector<Statement> parse_statements(std::string_view text, const std::string& file, int first_line) {
  Lexer lex(text, {file, first_line});
  return collected(Parser(lex));
}

std::vector<Statement> parse_pattern(std::string_view text, const Location& at) {
  Lexer lex(text, at);
  return collected(Parser(lex, true));
}

Expr parse_condition(std::string_view text, const Location& at) {
  Lexer lex(text, at);
  return Parser(lex, true).whole_expr();
}

Expr parse_condition(Lexer& lex) { return Parser(lex, true).part_expr(); }

Expr parse_expr(std::string_view text, const std::string& file, int first_line) {
  Lexer lex(text, {file, first_line});
  return Parser(lex).whole_expr();
}

}  // namespace lmc::syntax
