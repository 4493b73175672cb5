// Recursive descent, Jinja's precedences: or, and, not, comparisons, ~, + -, * / // %, unary -, **-less
// power, then postfix (attribute, index, slice, call, filter) — and inline if around all of it.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include "models/chat/lexer.h"
#include "models/chat/program.h"

namespace lmc::chat {
namespace {

constexpr int kDeepest = 100;          // of nested brackets and blocks
constexpr int kDeepestCall = 100;      // of macros
constexpr size_t kLongest = 64 << 20;  // bytes of output

struct Call {  // arguments before they are evaluated
  std::vector<Expression> positional;
  std::vector<std::pair<std::string, Expression>> named;

  Arguments evaluate(Scope& s) const {
    Arguments out;
    for (const Expression& e : positional) out.positional.push_back(e(s));
    for (const auto& [name, e] : named) out.named.emplace_back(name, e(s));
    return out;
  }
};

void count_step(Scope& s) {
  if (--*s.steps_left < 0) throw Error("the template does not come to an end");
}

Value attribute(const Value& on, const std::string& name) {
  if (on.is<Undefined>()) {
    throw Error("'" + std::get<Undefined>(on.v).name + "' is undefined, so it has no '" + name + "'");
  }
  const Value* found = on.is_dict() ? entry(on, name) : nullptr;
  return found ? *found : Value(Undefined{name});
}

int64_t place(int64_t i, size_t size) { return i < 0 ? i + static_cast<int64_t>(size) : i; }

Value subscript(const Value& on, const Value& key) {
  if (key.is_text()) return attribute(on, key.text());
  if (!key.is_whole()) throw Error(std::string("cannot index with ") + kind_name(key));
  if (on.is<Undefined>()) throw Error("'" + std::get<Undefined>(on.v).name + "' is undefined");
  const Value all = on.is_text() ? find_filter("list")(on, {}) : on;
  if (!all.is_list()) return Undefined{std::to_string(key.whole())};
  const int64_t i = place(key.whole(), all.items().size());
  if (i < 0 || i >= static_cast<int64_t>(all.items().size())) return Undefined{std::to_string(key.whole())};
  return all.items()[static_cast<size_t>(i)];
}

Value slice(const Value& on, const std::optional<Value>& from, const std::optional<Value>& to,
            const std::optional<Value>& by) {
  const auto number = [](const std::optional<Value>& v) -> std::optional<int64_t> {
    if (!v || v->is<None>()) return std::nullopt;
    if (!v->is_whole()) throw Error(std::string("cannot slice with ") + kind_name(*v));
    return v->whole();
  };
  if (!on.is_list() && !on.is_text()) throw Error(std::string("cannot slice ") + kind_name(on));
  const List all = find_filter("list")(on, {}).items();
  const auto n = static_cast<int64_t>(all.size());
  const int64_t step = number(by).value_or(1);
  if (step == 0) throw Error("a slice needs a step that is not 0");
  const auto bound = [&](std::optional<int64_t> i, int64_t otherwise) {
    if (!i) return otherwise;
    return std::clamp(place(*i, all.size()), step > 0 ? int64_t{0} : int64_t{-1}, step > 0 ? n : n - 1);
  };
  const int64_t begin = bound(number(from), step > 0 ? 0 : n - 1);
  const int64_t end = bound(number(to), step > 0 ? n : -1);
  List out;
  for (int64_t i = begin; step > 0 ? i < end : i > end; i += step) {
    out.push_back(all[static_cast<size_t>(i)]);
    if (step > n || step < -n) break;
  }
  return on.is_text() ? find_filter("join")(Value::list(out), {}) : Value::list(out);
}

bool contains(const Value& all, const Value& x) {
  if (all.is_text()) {
    if (!x.is_text()) throw Error(std::string("'in' a string needs a string, not ") + kind_name(x));
    return all.text().find(x.text()) != std::string::npos;
  }
  if (all.is_dict()) return x.is_text() && entry(all, x.text());
  if (!all.is_list()) throw Error(std::string("'in' needs a list, dict or string, not ") + kind_name(all));
  for (const Value& i : all.items()) {
    if (equal(i, x)) return true;
  }
  return false;
}

bool less(const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) return a.number() < b.number();
  if (a.is_text() && b.is_text()) return a.text() < b.text();
  throw Error(std::string("cannot compare ") + kind_name(a) + " with " + kind_name(b));
}

Value compare(const std::string& op, const Value& a, const Value& b) {
  if (op == "==") return equal(a, b);
  if (op == "!=") return !equal(a, b);
  if (op == "in") return contains(b, a);
  if (op == "not in") return !contains(b, a);
  if (op == "<") return less(a, b);
  if (op == ">") return less(b, a);
  return op == "<=" ? !less(b, a) : !less(a, b);
}

Value whole_arithmetic(char op, int64_t a, int64_t b) {
  int64_t out = 0;
  bool over = false;
  if (op == '+') over = __builtin_add_overflow(a, b, &out);
  if (op == '-') over = __builtin_sub_overflow(a, b, &out);
  if (op == '*') over = __builtin_mul_overflow(a, b, &out);
  if (op == 'd' || op == '%') {
    if (b == 0) throw Error("division by zero");
    if (b == -1) {
      over = op == 'd' && __builtin_sub_overflow(int64_t{0}, a, &out);
    } else {  // rounded down, as in Python
      const int64_t rest = a % b, down = rest != 0 && (rest < 0) != (b < 0);
      out = op == 'd' ? a / b - down : rest + down * b;
    }
  }
  if (over) throw Error("a number is too large");
  return out;
}

// op: + - * / d (//) %
Value arithmetic(char op, const Value& a, const Value& b) {
  if (op == '+' && a.is_text() && b.is_text()) return a.text() + b.text();
  if (op == '+' && a.is_list() && b.is_list()) {
    List out = a.items();
    out.insert(out.end(), b.items().begin(), b.items().end());
    return Value::list(out);
  }
  if (!a.is_number() || !b.is_number()) {
    const std::string sign = op == 'd' ? "//" : std::string(1, op);
    throw Error("cannot compute " + std::string(kind_name(a)) + " " + sign + " " + kind_name(b));
  }
  if (op != '/' && a.is_whole() && b.is_whole()) return whole_arithmetic(op, a.whole(), b.whole());
  const double x = a.number(), y = b.number();
  if (op == '+') return x + y;
  if (op == '-') return x - y;
  if (op == '*') return x * y;
  if (y == 0) throw Error("division by zero");
  if (op == '/') return x / y;
  return op == 'd' ? std::floor(x / y) : x - std::floor(x / y) * y;
}

Statement in_order(std::vector<Statement> all) {
  return [all = std::move(all)](Scope& s, std::string& out) {
    for (const Statement& one : all) {
      if (const Flow f = one(s, out); f != Flow::next) return f;
    }
    return Flow::next;
  };
}

class Parser {
 public:
  Parser(std::vector<Token> tokens, const std::string& file) : tokens_(std::move(tokens)), file_(file) {}

  Statement run() {
    Statement all = statements({});
    if (peek().kind != Tok::end) fail("'" + peek().text + "' without its beginning");
    return all;
  }

 private:
  // Statements up to {% word %} with a word of `ends` (not consumed past its name), or the end.
  Statement statements(const std::set<std::string>& ends) {
    const Deeper deeper(*this);
    std::vector<Statement> out;
    while (peek().kind != Tok::end) {
      if (peek().kind == Tok::text) {
        out.push_back([text = next().text](Scope&, std::string& to) {
          to += text;
          if (to.size() > kLongest) throw Error("the rendered text is longer than 64 MiB");
          return Flow::next;
        });
      } else if (peek().kind == Tok::print_begin) {
        out.push_back(print());
      } else {
        if (ends.contains(peek(1).text)) return in_order(std::move(out));
        next();
        out.push_back(block());
      }
    }
    return in_order(std::move(out));
  }

  Statement print() {
    const int line = next().line;
    Expression e = located(line, expression());
    expect(Tok::print_end, "}}");
    return [e](Scope& s, std::string& to) {
      to += printed(e(s));
      if (to.size() > kLongest) throw Error("the rendered text is longer than 64 MiB");
      return Flow::next;
    };
  }

  Statement block() {
    const Token word = next();
    if (word.text == "if") return if_block();
    if (word.text == "for") return for_block(word.line);
    if (word.text == "set") return set_block(word.line);
    if (word.text == "macro") return macro_block(word.line);
    if (word.text == "generation") {  // marks what a model is trained on; shown as it is
      close_tag();
      Statement body = statements({"endgeneration"});
      end_block("endgeneration", word);
      return body;
    }
    if (word.text == "break" || word.text == "continue") {
      if (loops_ == 0) fail("'" + word.text + "' outside of a loop");
      close_tag();
      return [f = word.text == "break" ? Flow::leave_loop : Flow::next_round](Scope&, std::string&) {
        return f;
      };
    }
    throw Error(Location{file_, word.line}, "unknown block '" + word.text + "'");
  }

  Statement if_block() {
    const Token opened = tokens_[at_ - 1];
    std::vector<std::pair<Expression, Statement>> branches;
    while (true) {
      Expression condition = located(peek().line, expression());
      close_tag();
      branches.emplace_back(condition, statements({"elif", "else", "endif"}));
      if (!open_end("elif")) break;
    }
    Statement otherwise;
    if (open_end("else")) {
      close_tag();
      otherwise = statements({"endif"});
    }
    end_block("endif", opened);
    return [branches, otherwise](Scope& s, std::string& out) {
      for (const auto& [condition, body] : branches) {
        if (truth(condition(s))) return body(s, out);
      }
      return otherwise ? otherwise(s, out) : Flow::next;
    };
  }

  Statement for_block(int line) {
    const Token opened = tokens_[at_ - 1];
    std::vector<std::string> names = {name("a loop variable")};
    while (accept(",")) names.push_back(name("a loop variable"));
    if (!accept_word("in")) fail("expected 'in', found '" + peek().text + "'");
    Expression over = located(line, or_expression());
    Expression filter;
    if (accept_word("if")) filter = located(line, expression());
    close_tag();
    ++loops_;
    Statement body = statements({"else", "endfor"});
    --loops_;
    Statement otherwise;
    if (open_end("else")) {
      close_tag();
      otherwise = statements({"endfor"});
    }
    end_block("endfor", opened);
    return at_line(line, [names, over, filter, body, otherwise](Scope& s, std::string& out) {
      List items = loop_items(over(s));
      if (filter) {
        List kept;
        for (const Value& i : items) {
          Scope inner = inside(s);
          assign(inner, names, i);
          if (truth(filter(inner))) kept.push_back(i);
        }
        items = std::move(kept);
      }
      if (items.empty()) return otherwise ? otherwise(s, out) : Flow::next;
      for (size_t i = 0; i < items.size(); ++i) {
        count_step(s);
        Scope inner = inside(s);
        assign(inner, names, items[i]);
        inner.set("loop", loop_variable(items, i));
        if (body(inner, out) == Flow::leave_loop) break;
      }
      return Flow::next;
    });
  }

  static List loop_items(const Value& v) {
    if (v.is<Undefined>())
      throw Error("'" + std::get<Undefined>(v.v).name + "' is undefined, so it cannot be looped over");
    if (!v.is_list() && !v.is_dict() && !v.is_text())
      throw Error(std::string("cannot loop over ") + kind_name(v));
    return find_filter("list")(v, {}).items();
  }

  static Value loop_variable(const List& items, size_t i) {
    const auto n = static_cast<int64_t>(items.size()), at = static_cast<int64_t>(i);
    Dict d = {{"index", at + 1},  {"index0", at},        {"revindex", n - at}, {"revindex0", n - at - 1},
              {"first", at == 0}, {"last", at + 1 == n}, {"length", n}};
    if (i > 0) d.emplace_back("previtem", items[i - 1]);
    if (i + 1 < items.size()) d.emplace_back("nextitem", items[i + 1]);
    return Value::dict(std::move(d));
  }

  static void assign(Scope& s, const std::vector<std::string>& names, const Value& v) {
    if (names.size() == 1) return s.set(names[0], v);
    if (!v.is_list() || v.items().size() != names.size()) {
      throw Error("cannot take " + std::string(kind_name(v)) + " apart into " + std::to_string(names.size()) +
                  " names");
    }
    for (size_t i = 0; i < names.size(); ++i) s.set(names[i], v.items()[i]);
  }

  static Scope inside(Scope& s) { return {&s, {}, s.depth, s.steps_left}; }

  // set x = …, set x, y = …, set ns.x = …, and {% set x %}…{% endset %}.
  Statement set_block(int line) {
    const Token opened = tokens_[at_ - 1];
    std::vector<std::string> names = {name("a name")};
    std::string member;
    if (accept(".")) member = name("a name");
    while (accept(",")) names.push_back(name("a name"));
    if (!accept("=")) {
      close_tag();
      Statement body = statements({"endset"});
      end_block("endset", opened);
      return [names, body](Scope& s, std::string&) {
        std::string text;
        Scope inner = inside(s);
        const Flow f = body(inner, text);
        s.set(names[0], text);
        return f;
      };
    }
    Expression value = located(line, tuple());
    close_tag();
    return at_line(line, [names, member, value](Scope& s, std::string&) {
      Value v = value(s);
      if (member.empty()) {
        assign(s, names, v);
        return Flow::next;
      }
      const Value* space = s.find(names[0]);
      if (!space || !space->is_dict()) throw Error("'" + names[0] + "' is no namespace");
      set_entry(*space, member, std::move(v));
      return Flow::next;
    });
  }

  Statement macro_block(int line) {
    const Token opened = tokens_[at_ - 1];
    const std::string called = name("the macro's name");
    std::vector<std::pair<std::string, Expression>> parameters;
    need("(");
    while (!accept(")")) {
      const std::string parameter = name("a parameter");
      parameters.emplace_back(parameter, accept("=") ? expression() : Expression());
      if (peek().text != ")") need(",");
    }
    close_tag();
    const int loops = std::exchange(loops_, 0);
    Statement body = statements({"endmacro"});
    loops_ = loops;
    end_block("endmacro", opened);
    return at_line(line, [called, parameters, body](Scope& s, std::string&) {
      // A macro sees the outermost scope, which outlives it, as in Jinja.
      Scope* globals = &s;
      while (globals->outer) globals = globals->outer;
      s.set(called, Value::function([called, parameters, body, globals](const Arguments& a) -> Value {
              count_step(*globals);
              if (++globals->depth > kDeepestCall)
                throw Error("'" + called + "' calls itself more than 100 deep");
              Scope inner = inside(*globals);
              for (size_t i = 0; i < parameters.size(); ++i) {
                const auto& [parameter, otherwise] = parameters[i];
                const Value* given = a.find(i, parameter);
                inner.set(parameter, given       ? *given
                                     : otherwise ? otherwise(inner)
                                                 : Value(Undefined{parameter}));
              }
              std::string text;
              body(inner, text);
              --globals->depth;
              return text;
            }));
      return Flow::next;
    });
  }

  // a if b else c
  Expression expression() {
    const Deeper deeper(*this);
    Expression value = or_expression();
    if (!accept_word("if")) return value;
    Expression condition = or_expression();
    Expression otherwise = accept_word("else") ? expression() : Expression();
    return [=](Scope& s) -> Value {
      if (truth(condition(s))) return value(s);
      return otherwise ? otherwise(s) : Value(Undefined{"the missing else"});
    };
  }

  // a, b
  Expression tuple() {
    Expression first = expression();
    if (peek().text != "," || peek().kind != Tok::sign) return first;
    std::vector<Expression> all = {first};
    while (accept(",")) all.push_back(expression());
    return list_of(std::move(all));
  }

  static Expression list_of(std::vector<Expression> all) {
    return [all = std::move(all)](Scope& s) {
      List out;
      for (const Expression& e : all) out.push_back(e(s));
      return Value::list(std::move(out));
    };
  }

  Expression or_expression() {
    Expression a = and_expression();
    while (accept_word("or")) {
      a = [a, b = and_expression()](Scope& s) {
        Value x = a(s);
        return truth(x) ? x : b(s);
      };
    }
    return a;
  }

  Expression and_expression() {
    Expression a = not_expression();
    while (accept_word("and")) {
      a = [a, b = not_expression()](Scope& s) {
        Value x = a(s);
        return truth(x) ? b(s) : x;
      };
    }
    return a;
  }

  Expression not_expression() {
    if (!accept_word("not")) return comparison();
    const Deeper deeper(*this);
    return [a = not_expression()](Scope& s) -> Value { return !truth(a(s)); };
  }

  // a < b < c means a < b and b < c.
  Expression comparison() {
    Expression first = joined_text();
    std::vector<std::pair<std::string, Expression>> rest;
    while (const auto op = comparison_sign()) rest.emplace_back(*op, joined_text());
    if (rest.empty()) return first;
    return [first, rest](Scope& s) -> Value {
      Value a = first(s);
      for (const auto& [op, e] : rest) {
        Value b = e(s);
        if (!truth(compare(op, a, b))) return false;
        a = std::move(b);
      }
      return true;
    };
  }

  std::optional<std::string> comparison_sign() {
    if (accept_word("in")) return "in";
    if (peek().kind == Tok::name && peek().text == "not" && peek(1).text == "in") {
      at_ += 2;
      return "not in";
    }
    for (const char* op : {"==", "!=", "<=", ">=", "<", ">"}) {
      if (accept(op)) return op;
    }
    return std::nullopt;
  }

  Expression joined_text() {
    Expression a = sum();
    while (accept("~")) a = [a, b = sum()](Scope& s) -> Value { return printed(a(s)) + printed(b(s)); };
    return a;
  }

  Expression sum() {
    Expression a = product();
    while (true) {
      const char op = accept("+") ? '+' : accept("-") ? '-' : 0;
      if (!op) return a;
      a = [a, op, b = product()](Scope& s) { return arithmetic(op, a(s), b(s)); };
    }
  }

  Expression product() {
    Expression a = unary();
    while (true) {
      const char op = accept("*") ? '*' : accept("//") ? 'd' : accept("/") ? '/' : accept("%") ? '%' : 0;
      if (!op) return a;
      a = [a, op, b = unary()](Scope& s) { return arithmetic(op, a(s), b(s)); };
    }
  }

  Expression unary() {
    const Deeper deeper(*this);
    if (accept("-")) return [a = unary()](Scope& s) { return arithmetic('-', int64_t{0}, a(s)); };
    if (accept("+")) return unary();
    Expression e = postfix(primary());
    while (accept_word("is")) e = test(e);
    return e;
  }

  Expression test(const Expression& on) {
    const bool negated = accept_word("not");
    const Token word = next();
    const Test t = find_test(word.text);
    if (word.kind != Tok::name || !t) fail("there is no test '" + word.text + "'");
    Call call;
    if (accept("(")) {
      call = arguments();
    } else if (const Token& p = peek(); p.kind == Tok::string || p.kind == Tok::whole) {
      call.positional.push_back(primary());
    }
    return [=](Scope& s) -> Value { return t(on(s), call.evaluate(s)) != negated; };
  }

  Expression postfix(Expression e) {
    while (true) {
      const int line = peek().line;
      if (accept(".")) {
        const std::string key = name("an attribute");
        if (accept("(")) {
          e = located(line, member_call(e, key, arguments()));
        } else {
          e = located(line, [e, key](Scope& s) { return attribute(e(s), key); });
        }
      } else if (accept("[")) {
        e = located(line, index(e));
      } else if (accept("(")) {
        e = located(line, [e, call = arguments()](Scope& s) -> Value {
          const Value f = e(s);
          if (!f.is_function()) throw Error(std::string("cannot call ") + kind_name(f));
          return (*std::get<std::shared_ptr<Function>>(f.v))(call.evaluate(s));
        });
      } else if (accept("|")) {
        const std::string called = name("a filter");
        const Filter f = find_filter(called);
        if (!f) fail("there is no filter '" + called + "'");
        const Call call = accept("(") ? arguments() : Call();
        e = located(line, [e, f, call](Scope& s) { return f(e(s), call.evaluate(s)); });
      } else {
        return e;
      }
    }
  }

  static Expression member_call(const Expression& on, const std::string& key, const Call& call) {
    return [on, key, call](Scope& s) -> Value {
      const Value v = on(s);
      if (has_method(v, key)) return call_method(v, key, call.evaluate(s));
      const Value f = attribute(v, key);
      if (f.is_function()) return (*std::get<std::shared_ptr<Function>>(f.v))(call.evaluate(s));
      return call_method(v, key, {});  // says that there is none
    };
  }

  // [i], [a:b], [a:b:c]
  Expression index(const Expression& on) {
    std::vector<Expression> parts(1);
    while (!accept("]")) {
      if (accept(":")) {
        parts.emplace_back();
      } else if (parts.back()) {
        fail("expected ']', found '" + peek().text + "'");
      } else {
        parts.back() = expression();
      }
    }
    if (parts.size() > 3 || (parts.size() == 1 && !parts[0])) fail("expected an index between [ and ]");
    if (parts.size() == 1) return [on, key = parts[0]](Scope& s) { return subscript(on(s), key(s)); };
    parts.resize(3);
    return [on, parts](Scope& s) {
      const auto at = [&](size_t i) { return parts[i] ? std::optional<Value>(parts[i](s)) : std::nullopt; };
      return slice(on(s), at(0), at(1), at(2));
    };
  }

  Expression primary() {
    const Token t = next();
    if (t.kind == Tok::string) {
      std::string text = t.text;
      while (peek().kind == Tok::string) text += next().text;
      return [text](Scope&) -> Value { return text; };
    }
    if (t.kind == Tok::whole || t.kind == Tok::real) return number(t);
    if (t.kind == Tok::name) return named(t);
    if (t.kind == Tok::sign && t.text == "(") {
      if (accept(")")) return list_of({});
      Expression e = tuple();
      need(")");
      return e;
    }
    if (t.kind == Tok::sign && t.text == "[") {
      std::vector<Expression> all;
      while (!accept("]")) {
        all.push_back(expression());
        if (peek().text != "]") need(",");
      }
      return list_of(std::move(all));
    }
    if (t.kind == Tok::sign && t.text == "{") return dict();
    throw Error(Location{file_, t.line}, "expected a value, found '" + t.text + "'");
  }

  Expression dict() {
    std::vector<std::pair<Expression, Expression>> all;
    while (!accept("}")) {
      Expression key = expression();
      need(":");
      all.emplace_back(key, expression());
      if (peek().text != "}") need(",");
    }
    return [all](Scope& s) {
      Value out = Value::dict();
      for (const auto& [key, value] : all) set_entry(out, printed(key(s)), value(s));
      return out;
    };
  }

  Expression number(const Token& t) {
    const char* end = t.text.data() + t.text.size();
    if (t.kind == Tok::real) {
      double x = 0;
      std::from_chars(t.text.data(), end, x);
      return [x](Scope&) -> Value { return x; };
    }
    int64_t x = 0;
    if (std::from_chars(t.text.data(), end, x).ec != std::errc())
      fail("the number " + t.text + " is too large");
    return [x](Scope&) -> Value { return x; };
  }

  static Expression named(const Token& t) {
    const std::string& n = t.text;
    if (n == "true" || n == "True") return [](Scope&) -> Value { return true; };
    if (n == "false" || n == "False") return [](Scope&) -> Value { return false; };
    if (n == "none" || n == "None") return [](Scope&) -> Value { return None{}; };
    return [n](Scope& s) -> Value {
      const Value* v = s.find(n);
      return v ? *v : Value(Undefined{n});
    };
  }

  // Behind "(", up to and with ")".
  Call arguments() {
    Call out;
    while (!accept(")")) {
      if (peek().kind == Tok::name && peek(1).kind == Tok::sign && peek(1).text == "=") {
        const std::string key = next().text;
        next();
        out.named.emplace_back(key, expression());
      } else {
        out.positional.push_back(expression());
      }
      if (peek().text != ")") need(",");
    }
    return out;
  }

  // Errors of rendering get the line where they happened, the innermost first.
  template <class F>
  auto with_line(int line, F f) const {
    return [line, f = std::move(f), file = file_](auto&... a) {
      try {
        return f(a...);
      } catch (const Error& e) {
        if (e.location.line > 0) throw;
        throw Error(Location{file, line}, e.what());
      }
    };
  }
  Expression located(int line, Expression e) const { return with_line(line, std::move(e)); }
  Statement at_line(int line, Statement s) const { return with_line(line, std::move(s)); }

  struct Deeper {
    explicit Deeper(Parser& p) : parser(p) {
      if (++parser.depth_ > 4 * kDeepest) parser.fail("nested too deep");
    }
    ~Deeper() { --parser.depth_; }
    Parser& parser;
  };

  const Token& peek(size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  Token next() {
    Token t = peek();
    if (at_ + 1 < tokens_.size()) ++at_;
    return t;
  }
  bool accept(const std::string& sign) {
    if (peek().kind != Tok::sign || peek().text != sign) return false;
    ++at_;
    return true;
  }
  bool accept_word(const std::string& word) {
    if (peek().kind != Tok::name || peek().text != word) return false;
    ++at_;
    return true;
  }
  void need(const std::string& sign) {
    if (!accept(sign)) fail("expected '" + sign + "', found '" + peek().text + "'");
  }
  std::string name(const std::string& what) {
    if (peek().kind != Tok::name) fail("expected " + what + ", found '" + peek().text + "'");
    return next().text;
  }
  void expect(Tok kind, const std::string& text) {
    if (peek().kind != kind) fail("expected '" + text + "', found '" + peek().text + "'");
    next();
  }
  void close_tag() { expect(Tok::block_end, "%}"); }
  // {% word, if that comes next.
  bool open_end(const std::string& word) {
    if (peek().kind != Tok::block_begin || peek(1).text != word) return false;
    at_ += 2;
    return true;
  }
  void end_block(const std::string& word, const Token& opened) {
    if (!open_end(word)) {
      throw Error(Location{file_, opened.line}, "'" + opened.text + "' is not closed by '" + word + "'");
    }
    close_tag();
  }
  [[noreturn]] void fail(const std::string& problem) const {
    throw Error(Location{file_, peek().line}, problem);
  }

  std::vector<Token> tokens_;
  std::string file_;
  size_t at_ = 0;
  int depth_ = 0, loops_ = 0;
};

}  // namespace

const Value* Scope::find(const std::string& name) const {
  for (const Scope* s = this; s; s = s->outer) {
    for (const auto& [key, value] : s->names) {
      if (key == name) return &value;
    }
  }
  return nullptr;
}

void Scope::set(const std::string& name, Value value) {
  for (auto& [key, old] : names) {
    if (key == name) {
      old = std::move(value);
      return;
    }
  }
  names.emplace_back(name, std::move(value));
}

Statement parse_template(const std::string& source, const std::string& file) {
  return Parser(tokens_of(source, file), file).run();
}

}  // namespace lmc::chat
