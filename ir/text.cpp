#include "ir/text.h"

#include <unordered_map>

#include "ir/budget.h"
#include "ir/op_def.h"
#include "ir/syntax.h"
#include "ir/verify.h"

namespace lmc {
namespace {

using syntax::Expr;

int64_t dim_from(const Expr& e) {
  if (e.kind == Expr::Kind::integer && e.integer > 0) return e.integer;
  if (e.kind == Expr::Kind::name && e.text == "T") return kDimT;
  if (e.kind == Expr::Kind::name && e.text == "R") return kDimR;
  throw Error(e.loc, "a dimension must be a number of 1 or more, T or R, found " + expr_text(e));
}

Type type_from(const syntax::TypeExpr& t) {
  const std::optional<DType> dtype = dtype_from_name(t.dtype);
  if (!dtype) throw Error(t.loc, "unknown format '" + t.dtype + "' in a type");
  Type out{*dtype, {}};
  // Products of dimensions are computed all over; keep them far from overflow.
  double elements = 1;
  for (const Expr& d : t.dims) {
    out.dims.push_back(dim_from(d));
    elements *= out.dims.back() > 0 ? static_cast<double>(out.dims.back()) : 1;
  }
  if (elements > 0x1p48) throw Error(t.loc, "type " + out.str() + " is larger than any machine");
  return out;
}

// Whole numbers alone make integers, others reals.
Attr list_from(const Expr& list) {
  std::vector<int64_t> whole;
  std::vector<double> reals;
  for (const Expr& i : list.args) {
    if (i.kind != Expr::Kind::integer && i.kind != Expr::Kind::real)
      throw Error(i.loc, "expected a number in a list, found " + expr_text(i));
    if (i.kind == Expr::Kind::integer) whole.push_back(i.integer);
    reals.push_back(i.kind == Expr::Kind::integer ? static_cast<double>(i.integer) : i.real);
  }
  if (whole.size() == reals.size()) return whole;
  return reals;
}

Attr attr_from(const Expr& e) {
  switch (e.kind) {
    case Expr::Kind::integer:
      return e.integer;
    case Expr::Kind::real:
      return e.real;
    case Expr::Kind::name:
    case Expr::Kind::text:
      return e.text;
    case Expr::Kind::list:
      return list_from(e);
    default:
      throw Error(e.loc, "expected a constant, found " + expr_text(e));
  }
}

// One graph (or group body) being built from its text. Of the whole graph first all that is declared, which
// may stand anywhere, then the statements.
class Builder : public syntax::GraphSink {
 public:
  enum class Takes { declarations, statements, all };
  Builder(Graph& g, Takes takes, Budget& memory) : g_(g), takes_(takes), memory_(memory) {}

  void now(Takes takes) { takes_ = takes; }
  void finish() { g_.set_outputs(std::move(outputs_)); }

  void input(const syntax::Param& p) override {
    if (!declares()) return;
    if (values_.contains(p.name)) throw Error(p.loc, "input %" + p.name + " is declared twice");
    memory_.take(bytes_of(p.name), p.loc);
    values_[p.name] = g_.add_input(p.name, type_from(p.type));
  }

  void weight(const syntax::Param& w) override {
    if (!declares()) return;
    if (g_.find_weight(w.name).valid()) throw Error(w.loc, "weight @" + w.name + " is declared twice");
    memory_.take(bytes_of(w.name), w.loc);
    g_.add_weight(w.name, type_from(w.type));
  }

  void statement(syntax::Statement s) override {
    if (!computes()) return;
    check_names(s);
    name_results(s, add(call(s, s.scope), s, s.scope, nullptr));
  }

  GraphSink& begin_body(syntax::Statement s) override {
    if (!computes()) {
      ++passed_over_;
      return *this;
    }
    check_names(s);
    Call c = call(s, s.scope);
    if (c.def->category != OpCategory::group) throw Error(s.loc, s.op + " cannot have a body");
    auto body = std::make_unique<Graph>("");
    auto inside = std::make_unique<Builder>(*body, Takes::all, memory_);
    open_ = {std::move(s), std::move(c), std::move(body), std::move(inside)};
    return *open_.inside;
  }

  void end_body() override {
    if (!computes()) {
      --passed_over_;
      return;
    }
    Open done = std::move(open_);
    done.inside->finish();
    const syntax::Statement& s = done.statement;
    name_results(s, add(std::move(done.call), s, s.scope, std::move(done.body)));
  }

  void output(const syntax::Operand& o) override {
    if (computes()) outputs_.push_back(operand(o, ""));
  }

 private:
  // What stands to the right of a statement's =.
  struct Call {
    const OpDef* def = nullptr;
    std::vector<ValueId> operands;
    AttrMap attrs;
  };

  // A group whose body is being read.
  struct Open {
    syntax::Statement statement;
    Call call;
    std::unique_ptr<Graph> body;
    std::unique_ptr<Builder> inside;
  };

  bool declares() const { return takes_ != Takes::statements && passed_over_ == 0; }
  bool computes() const { return takes_ != Takes::declarations; }

  ValueId operand(const syntax::Operand& o, const std::string& scope) {
    if (o.kind == syntax::Operand::Kind::call) {
      const OpId id = add(call(*o.call, scope), *o.call, scope, nullptr);
      if (g_.op(id).results.size() != 1)
        throw Error(o.loc, o.call->op + " as an operand must have one result");
      return g_.result(id);
    }
    if (o.kind == syntax::Operand::Kind::weight) {
      const ValueId w = g_.find_weight(o.name);
      if (!w.valid()) throw Error(o.loc, "weight @" + o.name + " is not declared");
      return w;
    }
    const auto it = values_.find(o.name);
    if (it == values_.end()) throw Error(o.loc, "%" + o.name + " is not defined above");
    return it->second;
  }

  Call call(const syntax::Statement& s, const std::string& scope) {
    Call out{&get_op(s.op, s.loc), {}, {}};
    for (const auto& o : s.operands) out.operands.push_back(operand(o, scope));
    for (const auto& a : s.attrs) {
      if (!out.attrs.emplace(a.name, attr_from(a.value)).second) {
        throw Error(a.loc, "attribute '" + a.name + "' is given twice");
      }
    }
    return out;
  }

  OpId add(Call c, const syntax::Statement& s, const std::string& scope, std::unique_ptr<Graph> body) {
    if (!body && c.def->category == OpCategory::group) throw Error(s.loc, s.op + " needs a body");
    memory_.take(bytes_of(c, s, scope), s.loc);
    return g_.add_op(*c.def, std::move(c.operands), std::move(c.attrs), s.results, scope, s.loc,
                     std::move(body));
  }

  // About what a value takes, which stands in two tables by its name.
  static uint64_t bytes_of(const std::string& name) { return sizeof(Value) + 160 + 4 * name.size(); }
  // Likewise an op with its results.
  static uint64_t bytes_of(const Call& c, const syntax::Statement& s, const std::string& scope) {
    constexpr uint64_t kAttr = 128, kOperand = 24;
    uint64_t out = sizeof(Op) + scope.size() + c.operands.size() * kOperand + c.attrs.size() * kAttr;
    for (const std::string& name : s.results) out += bytes_of(name);
    return out;
  }

  void check_names(const syntax::Statement& s) const {
    for (const std::string& r : s.results) {
      if (values_.contains(r)) throw Error(s.loc, "%" + r + " is defined twice");
    }
  }

  void name_results(const syntax::Statement& s, OpId id) {
    const Op& op = g_.op(id);
    if (op.results.size() != s.results.size()) {
      throw Error(s.loc, s.op + " has " + std::to_string(op.results.size()) + " results, " +
                             std::to_string(s.results.size()) + " are named");
    }
    if (!s.types.empty() && s.types.size() != s.results.size()) {
      throw Error(s.types[0].loc, "one type for each result, please: " + std::to_string(s.results.size()));
    }
    for (size_t i = 0; i < s.results.size(); ++i) {
      values_[s.results[i]] = op.results[i];
      if (s.types.empty()) continue;
      const Type stated = type_from(s.types[i]);
      if (stated != g_.type(op.results[i])) {
        throw Error(s.types[i].loc, "%" + s.results[i] + " is stated as " + stated.str() + " but " + s.op +
                                        " gives " + g_.type(op.results[i]).str());
      }
    }
  }

  Graph& g_;
  Takes takes_;
  Budget& memory_;
  int passed_over_ = 0;  // bodies around what is read, while only the graph's declarations count
  std::unordered_map<std::string, ValueId> values_;
  std::vector<ValueId> outputs_;
  Open open_;
};

std::string value_text(const Graph& g, ValueId v) {
  return (g.value(v).kind == ValueKind::weight ? "@" : "%") + g.value(v).name;
}

void print_body(const Graph& g, const std::string& indent, std::string& out);

void print_op_to(const Graph& g, OpId id, const std::string& indent, std::string& out) {
  const Op& op = g.op(id);
  out += indent;
  for (size_t i = 0; i < op.results.size(); ++i) out += (i ? ", " : "") + value_text(g, op.results[i]);
  out += " = " + op.def->name + "(";
  for (size_t i = 0; i < op.operands.size(); ++i) out += (i ? ", " : "") + value_text(g, op.operands[i]);
  out += ")";
  if (const std::string attrs = attrs_text(op); !attrs.empty()) out += " {" + attrs + "}";
  for (size_t i = 0; i < op.results.size(); ++i) out += (i ? ", " : " : ") + g.type(op.results[i]).str();
  if (op.body) {
    out += " {\n" + indent + "  inputs (";
    const std::vector<ValueId> inputs = op.body->inputs();
    for (size_t i = 0; i < inputs.size(); ++i) {
      out += (i ? ", " : "") + value_text(*op.body, inputs[i]) + ": " + op.body->type(inputs[i]).str();
    }
    out += ")\n";
    print_body(*op.body, indent + "  ", out);
    out += indent + "}";
  }
  out += "\n";
}

void print_body(const Graph& g, const std::string& indent, std::string& out) {
  for (ValueId w : g.weights()) out += indent + "weight " + value_text(g, w) + " : " + g.type(w).str() + "\n";
  std::string scope;
  for (OpId id : topo_order(g)) {
    const Op& op = g.op(id);
    if (op.scope != scope) {
      scope = op.scope;
      out += indent + "scope " + (scope.empty() ? "\"\"" : scope) + "\n";
    }
    print_op_to(g, id, indent, out);
  }
  out += indent + "return";
  for (size_t i = 0; i < g.outputs().size(); ++i) out += (i ? ", " : " ") + value_text(g, g.outputs()[i]);
  out += "\n";
}

}  // namespace

Graph parse_graph(std::string_view text, const std::string& file) {
  return parse_graph(text, Location{file, 1});
}

// Read three times rather than kept as a tree: is it well-formed, what is declared, what is computed.
Graph parse_graph(std::string_view text, const Location& at) {
  Graph g(syntax::read_graph_text(text, at));
  Budget memory((uint64_t{32} << 20) + 6 * text.size(),
                "the graph takes more memory than a text of its size may");
  Builder builder(g, Builder::Takes::declarations, memory);
  syntax::read_graph_text(text, at, builder);
  builder.now(Builder::Takes::statements);
  syntax::read_graph_text(text, at, builder);
  builder.finish();
  verify(g);
  return g;
}

std::string print_graph(const Graph& g) {
  std::string out = "graph @" + g.name + " (";
  const std::vector<ValueId> inputs = g.inputs();
  for (size_t i = 0; i < inputs.size(); ++i) {
    out += (i ? ", " : "") + value_text(g, inputs[i]) + ": " + g.type(inputs[i]).str();
  }
  out += ") {\n";
  print_body(g, "  ", out);
  return out + "}\n";
}

std::string attrs_text(const Op& op) {
  std::string out;
  for (const AttrDef& a : op.def->attrs) {  // in the op's own order
    const Attr& value = op.attrs.at(a.name);
    if (a.fallback && *a.fallback == value) continue;
    out += (out.empty() ? "" : ", ") + a.name + "=" + attr_text(value);
  }
  return out;
}

std::string print_op(const Graph& g, OpId op) {
  std::string out;
  print_op_to(g, op, "", out);
  return out;
}

}  // namespace lmc
