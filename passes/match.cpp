#include "passes/match.h"

#include <algorithm>

#include "ir/op_def.h"

namespace lmc {
namespace {

using syntax::Expr;
using syntax::Statement;

// "gelu_tanh|silu" holds "silu".
bool names_op(const std::string& alternatives, const std::string& name) {
  size_t start = 0;
  while (start <= alternatives.size()) {
    const size_t bar = std::min(alternatives.find('|', start), alternatives.size());
    if (alternatives.compare(start, bar - start, name) == 0) return true;
    start = bar + 1;
  }
  return false;
}

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
    size_t best = statements_.size();
    for (size_t s = 0; s < statements_.size(); ++s) {
      if (match_.ops[s].valid()) continue;
      best = s;
      if (!candidates(s).empty()) break;
    }
    if (best == statements_.size()) return true;
    for (OpId id : candidates(best)) {
      if (try_op(best, id)) return true;
    }
    return false;
  }

  std::vector<OpId> candidates(size_t s) const {
    const Statement& st = statements_[s];
    for (const std::string& r : st.results) {
      const auto it = match_.values.find(r);
      if (it == match_.values.end()) continue;
      if (g_.value(it->second).kind != ValueKind::result) return {};
      return {g_.value(it->second).def};
    }
    for (const auto& o : st.operands) {
      const auto it = match_.values.find(o.name);
      if (it == match_.values.end()) continue;
      std::vector<OpId> out;
      for (const Use& u : g_.value(it->second).uses) {
        if (std::find(out.begin(), out.end(), u.op) == out.end()) out.push_back(u.op);
      }
      std::sort(out.begin(), out.end());
      return out;
    }
    return {};
  }

  // Remembers the refusal if everything else had matched.
  bool refuse(size_t s, OpId id, const std::string& why) {
    const auto bound = std::count_if(match_.ops.begin(), match_.ops.end(), [](OpId o) { return o.valid(); });
    const auto self = match_.ops[s].valid() ? 1 : 0;
    if (near_ && near_->empty() && static_cast<size_t>(bound - self) + 1 == statements_.size() &&
        statements_.size() > 1) {
      *near_ = g_.op(id).def->name + " %" + g_.value(g_.op(id).results[0]).name + ": " + why;
    }
    return false;
  }

  const Graph& g_;
  const std::vector<Statement>& statements_;
  bool open_;
  Match match_;
  std::string* near_ = nullptr;
};

}  // namespace

Pattern::Pattern(const std::string& text, const std::string& origin, bool open)
    : statements_(syntax::parse_statements(text, origin)), open_(open) {
  if (statements_.empty()) throw Error(origin + ": the pattern is empty");
  for (const Statement& s : statements_) {
    for (const auto& o : s.operands) {
      if (o.kind != syntax::Operand::Kind::value) throw Error(o.loc, "operands of a pattern are %values");
    }
  }
}

std::vector<OpId> Pattern::anchors(const Graph& g) const {
  std::vector<OpId> out;
  for (OpId id : topo_order(g)) {
    if (names_op(statements_[0].op, g.op(id).def->name)) out.push_back(id);
  }
  return out;
}

std::optional<Match> Pattern::match_at(const Graph& g, OpId anchor, std::string* near) const {
  return Matcher(g, statements_, open_).run(anchor, near);
}

}  // namespace lmc
