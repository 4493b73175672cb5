// Statements of a template: text, {{ }}, and the blocks if, for, set, macro, call, filter, generation, break
// and continue.
#include <set>

#include "models/chat/expressions.h"

namespace lmc::chat {
namespace {

void append(Scope& s, std::string& to, const std::string& text) {
  s.run.step(1 + text.size() / 64);
  to += text;
  limited(to);
}

Statement in_order(std::vector<Statement> all) {
  return [all = std::move(all)](Scope& s, std::string& out) {
    for (const Statement& one : all) {
      if (const Flow f = one(s, out); f != Flow::next) return f;
    }
    return Flow::next;
  };
}

Scope inside(Scope& s) { return {s.run, &s}; }

void assign(Scope& s, const std::vector<std::string>& names, const Value& v) {
  if (names.size() == 1) return s.set(names[0], v);
  if (!v.is_list() || v.items().size() != names.size()) {
    throw Error("cannot take " + std::string(kind_name(v)) + " apart into " + std::to_string(names.size()) +
                " names");
  }
  for (size_t i = 0; i < names.size(); ++i) s.set(names[i], v.items()[i]);
}

List loop_items(Scope& s, const Value& v) {
  if (v.is<Undefined>())
    throw Error("'" + std::get<Undefined>(v.v).name + "' is undefined, so it cannot be looped over");
  if (!v.is_list() && !v.is_dict() && !v.is_text())
    throw Error(std::string("cannot loop over ") + kind_name(v));
  s.run.step(walking_cost(v));
  return find_filter("list")(v, {}).items();
}

Value loop_variable(const List& items, size_t i) {
  const auto n = static_cast<int64_t>(items.size()), at = static_cast<int64_t>(i);
  Dict d = {{"index", at + 1},  {"index0", at},        {"revindex", n - at}, {"revindex0", n - at - 1},
            {"first", at == 0}, {"last", at + 1 == n}, {"length", n}};
  if (i > 0) d.emplace_back("previtem", items[i - 1]);
  if (i + 1 < items.size()) d.emplace_back("nextitem", items[i + 1]);
  d.emplace_back("cycle", Value::function([i](const Arguments& a) {
                   if (a.positional.empty()) throw Error("cycle() needs values");
                   return a.positional[i % a.positional.size()];
                 }));
  return Value::dict(std::move(d));
}

class StatementParser {
 public:
  explicit StatementParser(TokenReader& in) : in_(in) {}

  // Statements up to {% word %} with a word of `ends` (not consumed), or the end.
  Statement statements(const std::set<std::string>& ends) {
    const TokenReader::Deeper deeper(in_);
    std::vector<Statement> out;
    while (in_.peek().kind != Tok::end) {
      if (in_.peek().kind == Tok::text) {
        out.push_back([text = in_.next().text](Scope& s, std::string& to) {
          append(s, to, text);
          return Flow::next;
        });
      } else if (in_.peek().kind == Tok::print_begin) {
        out.push_back(print());
      } else {
        if (ends.contains(in_.peek(1).text)) break;
        in_.next();
        out.push_back(block());
      }
    }
    return in_order(std::move(out));
  }

 private:
  Statement print() {
    const int line = in_.next().line;
    Expression e = parse_tuple(in_);
    in_.need_end(Tok::print_end, "}}");
    return at_line(line, [e](Scope& s, std::string& to) {
      append(s, to, printed(e(s)));
      return Flow::next;
    });
  }

  Statement block() {
    const Token word = in_.next();
    if (word.text == "if") return at_line(word.line, if_block(word));
    if (word.text == "for") return at_line(word.line, for_block(word));
    if (word.text == "set") return at_line(word.line, set_block(word));
    if (word.text == "macro") return at_line(word.line, macro_block(word));
    if (word.text == "call") return at_line(word.line, call_block(word));
    if (word.text == "filter") return at_line(word.line, filter_block(word));
    if (word.text == "generation") {  // marks what a model is trained on; shown as it is
      close_tag();
      return body(word);
    }
    if (word.text == "break" || word.text == "continue") {
      if (loops_ == 0) in_.fail("'" + word.text + "' outside of a loop");
      close_tag();
      return [f = word.text == "break" ? Flow::leave_loop : Flow::next_round](Scope&, std::string&) {
        return f;
      };
    }
    throw Error(Location{in_.file(), word.line}, "unknown block '" + word.text + "'");
  }

  Statement if_block(const Token& opened) {
    std::vector<std::pair<Expression, Statement>> branches;
    do {
      Expression condition = parse_expression(in_);
      close_tag();
      branches.emplace_back(condition, statements({"elif", "else", "endif"}));
    } while (open_end("elif"));
    const Statement otherwise = else_part("endif");
    end_block(opened);
    return [branches, otherwise](Scope& s, std::string& out) {
      for (const auto& [condition, body] : branches) {
        if (truth(condition(s))) return body(s, out);
      }
      return otherwise ? otherwise(s, out) : Flow::next;
    };
  }

  Statement for_block(const Token& opened) {
    const std::vector<std::string> names = name_list("a loop variable");
    if (!in_.accept_word("in")) in_.fail("expected 'in', found " + in_.found());
    const Expression over = parse_condition(in_);
    const Expression filter = in_.accept_word("if") ? parse_expression(in_) : Expression();
    close_tag();
    ++loops_;
    const Statement body = statements({"else", "endfor"});
    --loops_;
    const Statement otherwise = else_part("endfor");
    end_block(opened);
    return [names, over, filter, body, otherwise](Scope& s, std::string& out) {
      const List items = chosen(s, names, filter, loop_items(s, over(s)));
      if (items.empty()) return otherwise ? otherwise(s, out) : Flow::next;
      for (size_t i = 0; i < items.size(); ++i) {
        s.run.step();
        Scope inner = inside(s);
        assign(inner, names, items[i]);
        inner.set("loop", loop_variable(items, i));
        if (body(inner, out) == Flow::leave_loop) break;
      }
      return Flow::next;
    };
  }

  static List chosen(Scope& s, const std::vector<std::string>& names, const Expression& filter, List items) {
    if (!filter) return items;
    List kept;
    for (const Value& i : items) {
      s.run.step();
      Scope inner = inside(s);
      assign(inner, names, i);
      if (truth(filter(inner))) kept.push_back(i);
    }
    return kept;
  }

  // set x = …, set x, y = …, set ns.x = …, and {% set x %}…{% endset %}.
  Statement set_block(const Token& opened) {
    const std::vector<std::string> names = name_list("a name");
    const std::string member = names.size() == 1 && in_.accept(".") ? in_.name("a name") : "";
    if (names.size() == 1 && member.empty() && in_.peek().kind == Tok::block_end) {
      close_tag();
      return captured(names[0], body(opened));
    }
    in_.need("=");
    const Expression value = parse_tuple(in_);
    close_tag();
    return [names, member, value](Scope& s, std::string&) {
      const Value v = value(s);
      if (member.empty()) {
        assign(s, names, v);
        return Flow::next;
      }
      const Value* space = s.find(names[0]);
      if (!space || !space->is_dict()) throw Error("'" + names[0] + "' is no namespace");
      set_entry(s.run.seen(*space), member, v);
      return Flow::next;
    };
  }

  static Statement captured(const std::string& name, const Statement& body) {
    return [name, body](Scope& s, std::string&) {
      std::string text;
      Scope inner = inside(s);
      const Flow f = body(inner, text);
      s.set(name, s.run.seen(text));
      return f;
    };
  }

  struct Macro {
    std::string name;
    std::vector<std::pair<std::string, Expression>> parameters;  // with their defaults, if any
    Statement body;

    Value call(Scope& around, const Arguments& a) const {
      if (a.positional.size() > parameters.size())
        throw Error("'" + name + "' takes " + std::to_string(parameters.size()) + " arguments, not " +
                    std::to_string(a.positional.size()));
      Scope inner = inside(around);
      if (const Value* caller = a.find(a.positional.size(), "caller")) inner.set("caller", *caller);
      for (size_t i = 0; i < parameters.size(); ++i) {
        const auto& [parameter, otherwise] = parameters[i];
        const Value* given = a.find(i, parameter);
        inner.set(parameter, given ? *given : otherwise ? otherwise(inner) : Value(Undefined{parameter}));
      }
      std::string text;
      body(inner, text);
      return text;
    }
  };

  Statement macro_block(const Token& opened) {
    auto macro = std::make_shared<Macro>();
    macro->name = in_.name("the macro's name");
    in_.need("(");
    macro->parameters = parameters();
    close_tag();
    macro->body = outside_of_loops(opened);
    // It sees the outermost scope, which outlives it, as in Jinja.
    return [macro = std::shared_ptr<const Macro>(macro)](Scope& s, std::string&) {
      Scope* globals = &s;
      while (globals->outer) globals = globals->outer;
      s.set(macro->name,
            Value::function([macro, globals](const Arguments& a) { return macro->call(*globals, a); }));
      return Flow::next;
    };
  }

  // Behind "(", up to and with ")".
  std::vector<std::pair<std::string, Expression>> parameters() {
    std::vector<std::pair<std::string, Expression>> out;
    while (!in_.accept(")")) {
      const std::string parameter = in_.name("a parameter");
      out.emplace_back(parameter, in_.accept("=") ? parse_expression(in_) : Expression());
      in_.need_comma_before(")");
    }
    return out;
  }

  Statement outside_of_loops(const Token& opened) {
    const int loops = std::exchange(loops_, 0);
    Statement out = body(opened);
    loops_ = loops;
    return out;
  }

  // {% call m(…) %}…{% endcall %}: the macro m prints the block where it says caller(). The block sees the
  // scope it stands in, so it cannot be called once that is gone.
  Statement call_block(const Token& opened) {
    auto block = std::make_shared<Macro>();
    block->name = "caller";
    if (in_.accept("(")) block->parameters = parameters();
    const Expression macro = parse_call(in_, "caller", [](Scope& s) { return *s.find("caller"); });
    close_tag();
    block->body = outside_of_loops(opened);
    return [macro, block = std::shared_ptr<const Macro>(block)](Scope& s, std::string& out) {
      const auto around = std::make_shared<Scope*>(&s);
      Scope inner = inside(s);
      inner.set("caller", Value::function([block, around](const Arguments& a) {
                  if (!*around) throw Error("caller() is called when its call block is over");
                  return block->call(**around, a);
                }));
      struct Over {
        std::shared_ptr<Scope*> around;
        ~Over() { *around = nullptr; }
      } const over{around};
      append(s, out, printed(macro(inner)));
      return Flow::next;
    };
  }

  Statement filter_block(const Token& opened) {
    const Link filters = parse_filters(in_);
    close_tag();
    const Statement text = body(opened);
    return [filters, text](Scope& s, std::string& out) {
      std::string inner;
      Scope scope = inside(s);
      const Flow f = text(scope, inner);
      append(s, out, printed(filters(s, s.run.seen(inner))));
      return f;
    };
  }

  // Up to and with {% endWORD %}.
  Statement body(const Token& opened) {
    Statement out = statements({"end" + opened.text});
    end_block(opened);
    return out;
  }
  Statement else_part(const std::string& end) {
    if (!open_end("else")) return {};
    close_tag();
    return statements({end});
  }

  std::vector<std::string> name_list(const std::string& what) {
    std::vector<std::string> out = {in_.name(what)};
    while (in_.accept(",")) out.push_back(in_.name(what));
    return out;
  }

  void close_tag() { in_.need_end(Tok::block_end, "%}"); }
  // {% word, if that comes next.
  bool open_end(const std::string& word) {
    if (in_.peek().kind != Tok::block_begin || in_.peek(1).text != word) return false;
    in_.next();
    in_.next();
    return true;
  }
  void end_block(const Token& opened) {
    if (!open_end("end" + opened.text)) {
      throw Error(Location{in_.file(), opened.line},
                  "'" + opened.text + "' is not closed by 'end" + opened.text + "'");
    }
    close_tag();
  }
  Statement at_line(int line, Statement s) const { return with_line(in_.file(), line, std::move(s)); }

  TokenReader& in_;
  int loops_ = 0;
};

}  // namespace

Statement parse_template(const std::string& source, const std::string& file) {
  TokenReader in(tokens_of(source, file), file);
  return StatementParser(in).statements({});
}

}  // namespace lmc::chat
