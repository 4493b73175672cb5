#include "passes/match.h"

#include <algorithm>

#include "ir/op_def.h"
#include "passes/pattern_check.h"

namespace lmc {
namespace {

using syntax::Expr;
using syntax::Statement;

bool names_op(const std::string& alternatives, const std::string& name) {
  const std::vector<std::string> names = op_alternatives(alternatives);
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Does the attribute hold what the pattern says? An integer in the pattern also stands for the equal real.
bool attr_equals(const Attr& a, const Expr& e) {
  switch (e.kind) {
    case Expr::Kind::integer:
      if (const auto* d = std::get_if<double>(&a)) return *d == static_cast<double>(e.integer);
      return a == Attr{e.integer};
    case Expr::Kind::real:
      return a == Attr{e.real};
    case Expr::Kind::name:
    case Expr::Kind::text:
      return a == Attr{e.text};
    case Expr::Kind::list: {
      const auto* items = std::get_if<std::vector<int64_t>>(&a);
      return items && std::equal(items->begin(), items->end(), e.args.begin(), e.args.end(),
                                 [](int64_t n, const Expr& i) { return n == i.integer; });
    }
    default:
      return false;
  }
}

class Matcher {
 public:
  Matcher(const Graph& g, const std::vector<Statement>& statements, bool open)
      : g_(g), statements_(statements), open_(open) {
    match_.graph = &g;
    match_.ops.resize(statements.size());
  }

  std::optional<Match> run(OpId anchor, std::string* near) {
    near_ = near;
    if (try_op(0, anchor)) return std::move(match_);
    return std::nullopt;
  }

 private:
  // Binds statement `s` to op `id` and the rest after it; undoes everything when that fails.
  bool try_op(size_t s, OpId id) {
    const Statement& st = statements_[s];
    const Op& op = g_.op(id);
    if (std::find(match_.ops.begin(), match_.ops.end(), id) != match_.ops.end()) return false;
    if (!names_op(st.op, op.def->name)) return false;
    for (const auto& a : st.attrs) {
      const auto it = op.attrs.find(a.name);
      if (it == op.attrs.end() || !attr_equals(it->second, a.value)) {
        return refuse(s, id,
                      a.name + " is " + (it == op.attrs.end() ? "absent" : attr_text(it->second)) + ", not " +
                          syntax::expr_text(a.value));
      }
    }
    if (op.operands.size() < st.operands.size() || (!open_ && op.operands.size() > st.operands.size())) {
      return refuse(s, id, "it has " + std::to_string(op.operands.size()) + " operands");
    }
    if (op.results.size() != st.results.size()) return refuse(s, id, "it has another number of results");
    const bool two_ways = op.def->commutative && op.operands.size() >= 2;
    for (int way = 0; way < (two_ways ? 2 : 1); ++way) {
      const auto saved = match_.values;
      match_.ops[s] = id;
      if (bind_op(s, id, way == 1) && next()) return true;
      match_.values = saved;
      match_.ops[s] = OpId{};
    }
    return false;
  }

  bool bind_op(size_t s, OpId id, bool swapped) {
    const Statement& st = statements_[s];
    const Op& op = g_.op(id);
    for (size_t i = 0; i < st.operands.size(); ++i) {
      const size_t from = swapped && i < 2 ? 1 - i : i;
      if (!bind(st.operands[i].name, op.operands[from])) {
        return refuse(s, id, "operand %" + st.operands[i].name + " is another value");
      }
    }
    for (size_t i = 0; i < st.results.size(); ++i) {
      if (!bind(st.results[i], op.results[i]))
        return refuse(s, id, "result %" + st.results[i] + " is another value");
    }
    return true;
  }

  bool bind(const std::string& variable, ValueId v) {
    const auto [it, fresh] = match_.values.emplace(variable, v);
    return fresh || it->second == v;
  }

  // The next open statement: one that shares a value with what is bound, so that candidates are few.
  bool next() {
    std::optional<size_t> open;
    std::vector<OpId> found;
    for (size_t s = 0; s < statements_.size() && found.empty(); ++s) {
      if (match_.ops[s].valid()) continue;
      open = s;
      found = candidates(s);
    }
    if (!open) return true;
    for (OpId id : found) {
      if (try_op(*open, id)) return true;
    }
    if (one_missing(*open)) remember("there is no " + statement_text(*open) + " beside what matched");
    return false;
  }

  // What may stand for statement `s`: the op that makes a bound result, or the readers of the bound operand
  // with the fewest (the residual stream has many, a projection's result one or two).
  std::vector<OpId> candidates(size_t s) const {
    const Statement& st = statements_[s];
    for (const std::string& r : st.results) {
      const auto it = match_.values.find(r);
      if (it == match_.values.end()) continue;
      if (g_.value(it->second).kind != ValueKind::result) return {};
      return {g_.value(it->second).def};
    }
    const std::vector<Use>* fewest = nullptr;
    for (const auto& o : st.operands) {
      const auto it = match_.values.find(o.name);
      if (it == match_.values.end()) continue;
      const std::vector<Use>& uses = g_.value(it->second).uses;
      if (!fewest || uses.size() < fewest->size()) fewest = &uses;
    }
    std::vector<OpId> out;
    if (!fewest) return out;
    for (const Use& u : *fewest) out.push_back(u.op);
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
  }

  std::string statement_text(size_t s) const {
    std::string out = statements_[s].op;
    for (const auto& a : statements_[s].attrs) out += " " + a.name + "=" + syntax::expr_text(a.value);
    return out;
  }

  // Is `s` all that keeps the pattern from matching?
  bool one_missing(size_t s) const {
    if (statements_.size() < 2) return false;
    for (size_t i = 0; i < statements_.size(); ++i) {
      if (i != s && !match_.ops[i].valid()) return false;
    }
    return true;
  }

  void remember(const std::string& why) {
    if (near_ && near_->empty()) *near_ = why;
  }

  bool refuse(size_t s, OpId id, const std::string& why) {
    if (one_missing(s))
      remember(g_.op(id).def->name + " %" + g_.value(g_.op(id).results[0]).name + ": " + why);
    return false;
  }

  const Graph& g_;
  const std::vector<Statement>& statements_;
  bool open_;
  Match match_;
  std::string* near_ = nullptr;
};

}  // namespace

Pattern::Pattern(const std::string& text, const std::string& origin, bool open, int first_line)
    : statements_(syntax::parse_statements(text, origin, first_line)), open_(open) {
  check_pattern(statements_, {origin, first_line});
}

std::vector<OpId> Pattern::anchors(const Graph& g) const {
  const Statement& first = statements_[0];
  std::vector<OpId> out;
  for (OpId id : topo_order(g)) {
    const Op& op = g.op(id);
    const bool fits = names_op(first.op, op.def->name) &&
                      std::all_of(first.attrs.begin(), first.attrs.end(), [&](const auto& a) {
                        const auto it = op.attrs.find(a.name);
                        return it != op.attrs.end() && attr_equals(it->second, a.value);
                      });
    if (fits) out.push_back(id);
  }
  return out;
}

std::optional<Match> Pattern::match_at(const Graph& g, OpId anchor, std::string* near) const {
  return Matcher(g, statements_, open_).run(anchor, near);
}

}  // namespace lmc
