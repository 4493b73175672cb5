// Jinja's precedences: inline if, or, and, not, comparisons, + and -, ~, * / // %, **, unary -, tests, and
// behind a value attributes, indices, slices, calls and filters. Chains are evaluated in a loop: only
// brackets nest.
#include "models/chat/expressions.h"

#include <charconv>
#include <optional>

#include "models/chat/operations.h"

namespace lmc::chat {
namespace {

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

Value call(const Value& f, const Arguments& a) {
  if (f.is<Undefined>())
    throw Error("'" + std::get<Undefined>(f.v).name + "' is undefined, so it cannot be called");
  if (!f.is_function()) throw Error(std::string("cannot call ") + kind_name(f));
  return (*std::get<std::shared_ptr<Function>>(f.v))(a);
}

Expression list_of(std::vector<Expression> all) {
  return [all = std::move(all)](Scope& s) {
    List out;
    for (const Expression& e : all) out.push_back(e(s));
    return s.run.seen(Value::list(std::move(out)));
  };
}

Expression constant(Value v) {
  return [v = std::move(v)](Scope& s) { return s.run.seen(v); };
}

class ExpressionParser {
 public:
  explicit ExpressionParser(TokenReader& in) : in_(in) {}

  Expression expression() {
    const TokenReader::Deeper deeper(in_);
    const int line = in_.line();
    Expression value = or_expression();
    if (!in_.accept_word("if")) return value;
    Expression condition = or_expression();
    Expression otherwise = in_.accept_word("else") ? expression() : Expression();
    return with_line(in_.file(), line, [=](Scope& s) -> Value {
      if (truth(condition(s))) return value(s);
      return otherwise ? otherwise(s) : Value(Undefined{"the missing else"});
    });
  }

  Expression tuple() {
    std::vector<Expression> all = {expression()};
    bool comma = false;
    while (in_.accept(",")) {
      comma = true;
      if (in_.at(Tok::sign, ")") || in_.peek().kind == Tok::block_end) break;
      all.push_back(expression());
    }
    return comma ? list_of(std::move(all)) : all[0];
  }

  Expression or_expression() {
    std::vector<Expression> all = {and_expression()};
    while (in_.accept_word("or")) all.push_back(and_expression());
    return first_that(true, std::move(all));
  }

  Expression call_with(const std::string& name, Expression value) {
    const int line = in_.line();
    std::vector<Link> links;
    Expression first = primary();
    while (in_.accept(".")) {
      links.push_back(
          [key = in_.name("an attribute")](Scope&, const Value& on) { return attribute(on, key); });
    }
    in_.need("(");
    Call a = arguments();
    a.named.emplace_back(name, std::move(value));
    links.push_back(called(std::move(a)));
    return linked(line, std::move(first), std::move(links));
  }

  Link filters() {
    std::vector<Link> all;
    do {
      const int line = in_.line();
      all.push_back(with_line(in_.file(), line, filtered()));
    } while (in_.accept("|"));
    return [all = std::move(all)](Scope& s, const Value& on) {
      Value v = on;
      for (const Link& one : all) v = s.run.seen(one(s, v));
      return v;
    };
  }

 private:
  Expression and_expression() {
    std::vector<Expression> all = {not_expression()};
    while (in_.accept_word("and")) all.push_back(not_expression());
    return first_that(false, std::move(all));
  }

  // The first value of that truth, else the last.
  static Expression first_that(bool wanted, std::vector<Expression> all) {
    if (all.size() == 1) return all[0];
    return [wanted, all = std::move(all)](Scope& s) {
      for (size_t i = 0;; ++i) {
        Value v = all[i](s);
        if (i + 1 == all.size() || truth(v) == wanted) return v;
      }
    };
  }

  Expression not_expression() {
    const TokenReader::Deeper deeper(in_);
    const int line = in_.line();
    if (!in_.accept_word("not")) return comparison();
    return with_line(in_.file(), line, [a = not_expression()](Scope& s) -> Value { return !truth(a(s)); });
  }

  // a < b < c means a < b and b < c.
  Expression comparison() {
    const int line = in_.line();
    Expression first = sum();
    std::vector<std::pair<std::string, Expression>> rest;
    while (const auto op = comparison_sign()) rest.emplace_back(*op, sum());
    if (rest.empty()) return first;
    return with_line(in_.file(), line, [first, rest](Scope& s) -> Value {
      Value a = first(s);
      for (const auto& [op, e] : rest) {
        Value b = e(s);
        if (!compare(s.run, op, a, b)) return false;
        a = std::move(b);
      }
      return true;
    });
  }

  std::optional<std::string> comparison_sign() {
    if (in_.accept_word("in")) return "in";
    if (in_.at(Tok::name, "not") && in_.at(Tok::name, "in", 1)) {
      in_.next();
      in_.next();
      return "not in";
    }
    return one_of({"==", "!=", "<=", ">=", "<", ">"});
  }

  std::optional<std::string> one_of(std::initializer_list<const char*> signs) {
    for (const char* sign : signs) {
      if (in_.accept(sign)) return sign;
    }
    return std::nullopt;
  }

  Expression joined_text() {
    const int line = in_.line();
    std::vector<Expression> all = {product()};
    while (in_.accept("~")) all.push_back(product());
    if (all.size() == 1) return all[0];
    return with_line(in_.file(), line, [all](Scope& s) {
      std::string out;
      for (const Expression& e : all) out = limited(std::move(out) + printed(e(s)));
      return s.run.seen(std::move(out));
    });
  }

  Expression sum() {
    return chain({"+", "-"}, [this] { return joined_text(); });
  }
  Expression product() {
    return chain({"*", "//", "/", "%"}, [this] { return power(); });
  }
  Expression power() {
    return chain({"**"}, [this] { return unary(); });
  }

  template <class Operand>
  Expression chain(std::initializer_list<const char*> signs, const Operand& operand) {
    const int line = in_.line();
    Expression first = operand();
    std::vector<std::pair<std::string, Expression>> rest;
    while (const auto op = one_of(signs)) rest.emplace_back(*op, operand());
    if (rest.empty()) return first;
    return with_line(in_.file(), line, [first, rest](Scope& s) {
      Value a = first(s);
      for (const auto& [op, e] : rest) a = s.run.seen(arithmetic(op, a, e(s)));
      return a;
    });
  }

  Expression unary() {
    const TokenReader::Deeper deeper(in_);
    const int line = in_.line();
    if (in_.accept("+")) return unary();
    if (!in_.accept("-")) return postfix();
    return with_line(in_.file(), line, [a = unary()](Scope& s) { return arithmetic("-", int64_t{0}, a(s)); });
  }

  Expression postfix() {
    const int line = in_.line();
    Expression first = primary();
    std::vector<Link> links;
    while (Link one = link()) links.push_back(std::move(one));
    return links.empty() ? first : linked(line, std::move(first), std::move(links));
  }

  Expression linked(int line, Expression first, std::vector<Link> links) const {
    return with_line(in_.file(), line, [first = std::move(first), links = std::move(links)](Scope& s) {
      Value v = first(s);
      for (const Link& one : links) v = s.run.seen(one(s, v));
      return v;
    });
  }

  // .name, [index], (arguments), | filter, is test. Null where the chain ends.
  Link link() {
    const int line = in_.line();
    Link out = in_.accept(".")         ? member()
               : in_.accept("[")       ? index()
               : in_.accept("(")       ? called(arguments())
               : in_.accept("|")       ? filtered()
               : in_.accept_word("is") ? tested()
                                       : Link();
    if (!out) return out;
    return with_line(in_.file(), line, [out](Scope& s, const Value& on) { return out(s, on); });
  }

  Link member() {
    const std::string key = in_.name("an attribute");
    if (!in_.accept("(")) return [key](Scope&, const Value& on) { return attribute(on, key); };
    return [key, a = arguments()](Scope& s, const Value& on) {
      s.run.step(walking_cost(on));
      const Value own = on.is_dict() || on.is<Undefined>() ? attribute(on, key) : Value(Undefined{key});
      return own.is_function() ? call(own, a.evaluate(s)) : call_method(on, key, a.evaluate(s));
    };
  }

  static Link called(Call a) {
    return [a = std::move(a)](Scope& s, const Value& on) { return call(on, a.evaluate(s)); };
  }

  Link filtered() {
    const std::string name = in_.name("a filter");
    const Filter f = find_filter(name);
    if (!f) in_.fail("there is no filter '" + name + "'");
    return [f, a = in_.accept("(") ? arguments() : Call()](Scope& s, const Value& on) {
      s.run.step(walking_cost(on));
      return f(on, a.evaluate(s));
    };
  }

  Link tested() {
    const bool negated = in_.accept_word("not");
    const std::string name = in_.name("a test");
    const Test t = find_test(name);
    if (!t) in_.fail("there is no test '" + name + "'");
    Call a;
    if (in_.accept("(")) {
      a = arguments();
    } else if (const Tok k = in_.peek().kind; k == Tok::string || k == Tok::whole || in_.at(Tok::sign, "[")) {
      a.positional.push_back(primary());
    }
    return [=](Scope& s, const Value& on) -> Value { return t(on, a.evaluate(s)) != negated; };
  }

  // [i], [a:b], [a:b:c]
  Link index() {
    std::vector<Expression> parts(1);
    while (!in_.accept("]")) {
      if (in_.accept(":")) {
        parts.emplace_back();
      } else if (parts.back()) {
        in_.fail("expected ']', found " + in_.found());
      } else {
        parts.back() = expression();
      }
    }
    if (parts.size() > 3 || (parts.size() == 1 && !parts[0])) in_.fail("expected an index between [ and ]");
    if (parts.size() == 1)
      return [key = parts[0]](Scope& s, const Value& on) { return subscript(s.run, on, key(s)); };
    parts.resize(3);
    return [parts](Scope& s, const Value& on) {
      const auto at = [&](size_t i) { return parts[i] ? std::optional<Value>(parts[i](s)) : std::nullopt; };
      return slice(s.run, on, at(0), at(1), at(2));
    };
  }

  // Behind "(", up to and with ")".
  Call arguments() {
    Call out;
    while (!in_.accept(")")) {
      if (in_.peek().kind == Tok::name && in_.at(Tok::sign, "=", 1)) {
        const std::string key = in_.next().text;
        in_.next();
        out.named.emplace_back(key, expression());
      } else {
        out.positional.push_back(expression());
      }
      in_.need_comma_before(")");
    }
    return out;
  }

  Expression primary() {
    const int line = in_.line();
    if (in_.accept("(")) return with_line(in_.file(), line, in_.accept(")") ? list_of({}) : bracketed());
    if (in_.accept("[")) return with_line(in_.file(), line, list());
    if (in_.accept("{")) return with_line(in_.file(), line, dict());
    const Token t = in_.peek();
    if (t.kind == Tok::whole || t.kind == Tok::real) return constant(number());
    if (t.kind == Tok::name) return named(in_.next().text);
    if (t.kind != Tok::string) in_.fail("expected a value, found " + in_.found());
    std::string text;
    while (in_.peek().kind == Tok::string) text += in_.next().text;
    return constant(text);
  }

  Expression bracketed() {
    Expression e = tuple();
    in_.need(")");
    return e;
  }

  Expression list() {
    std::vector<Expression> all;
    while (!in_.accept("]")) {
      all.push_back(expression());
      in_.need_comma_before("]");
    }
    return list_of(std::move(all));
  }

  Expression dict() {
    std::vector<std::pair<Expression, Expression>> all;
    while (!in_.accept("}")) {
      Expression key = expression();
      in_.need(":");
      all.emplace_back(key, expression());
      in_.need_comma_before("}");
    }
    return [all](Scope& s) {
      Value out = Value::dict();
      for (const auto& [key, value] : all) {
        s.run.step(walking_cost(out));
        set_entry(out, printed(key(s)), value(s));
      }
      return s.run.seen(out);
    };
  }

  Value number() {
    const Token t = in_.peek();
    const char* end = t.text.data() + t.text.size();
    int64_t whole = 0;
    double real = 0;
    const auto r = t.kind == Tok::whole ? std::from_chars(t.text.data(), end, whole)
                                        : std::from_chars(t.text.data(), end, real);
    if (r.ec != std::errc()) in_.fail("the number " + t.text + " is too large");
    in_.next();
    return t.kind == Tok::whole ? Value(whole) : Value(real);
  }

  static Expression named(const std::string& n) {
    if (n == "true" || n == "True") return constant(true);
    if (n == "false" || n == "False") return constant(false);
    if (n == "none" || n == "None") return constant(None{});
    return [n](Scope& s) -> Value {
      const Value* v = s.find(n);
      return v ? s.run.seen(*v) : Value(Undefined{n});
    };
  }

  TokenReader& in_;
};

}  // namespace

Expression parse_expression(TokenReader& in) { return ExpressionParser(in).expression(); }
Expression parse_condition(TokenReader& in) { return ExpressionParser(in).or_expression(); }
Expression parse_tuple(TokenReader& in) { return ExpressionParser(in).tuple(); }
Expression parse_call(TokenReader& in, const std::string& name, Expression value) {
  return ExpressionParser(in).call_with(name, std::move(value));
}
Link parse_filters(TokenReader& in) { return ExpressionParser(in).filters(); }

}  // namespace lmc::chat
