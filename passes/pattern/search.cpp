#include "passes/pattern/search.h"

#include <algorithm>

#include "passes/pattern/fit.h"

namespace lmc {
namespace {

constexpr int64_t kMostSteps = 100'000;  // at one place; a pattern of ten statements needs some dozens

}  // namespace

Search::Search(const Graph& g, const Pattern& pattern, const Pattern::Refusal& refusal, size_t most,
               std::string* near)
    : g_(g), pattern_(pattern), refusal_(refusal), most_(most), near_(near) {
  const size_t n = pattern.statements().size();
  state_.ops.resize(n);
  state_.statements.resize(n, State::Statement::open);
}

std::vector<Match> Search::run(OpId anchor) {
  try_op(pattern_.anchor_statement(), anchor);
  return std::move(found_);
}

bool Search::extend() {
  if (found_.size() >= most_) return true;
  const std::optional<size_t> s = next_statement();
  if (!s) return finish();
  const bool found = statement(*s).text.repeat ? try_chains(*s) : try_candidates(*s);
  if (found) return true;
  if (statement(*s).text.optional) return try_absent(*s);
  if (one_missing(*s)) remember("there is no " + statement(*s).str() + " beside what matched");
  return false;
}

// Statements that must be there come first, so that a dead end shows early.
std::optional<size_t> Search::next_statement() const {
  for (const bool optional : {false, true}) {
    for (size_t s = 0; s < state_.statements.size(); ++s) {
      const bool open = state_.statements[s] == State::Statement::open;
      if (open && statement(s).text.optional == optional && reached(s)) return s;
    }
  }
  return std::nullopt;
}

bool Search::reached(size_t s) const {
  const auto& text = statement(s).text;
  const auto bound = [&](const std::string& v) { return state_.values.contains(v); };
  return std::any_of(text.results.begin(), text.results.end(), bound) ||
         std::any_of(text.operands.begin(), text.operands.end(),
                     [&](const auto& o) { return bound(o.name); });
}

bool Search::try_candidates(size_t s) {
  bool found = false;
  for (OpId id : candidates(s)) found = try_op(s, id) || found;
  return found;
}

// What may stand for statement `s`: the op that makes a bound result, or the readers of the bound operand
// with the fewest (the residual stream has many, a projection's result one or two).
std::vector<OpId> Search::candidates(size_t s) const {
  const auto& text = statement(s).text;
  for (const std::string& r : text.results) {
    const auto it = state_.values.find(r);
    if (it == state_.values.end()) continue;
    if (g_.value(it->second).kind != ValueKind::result) return {};
    return {g_.value(it->second).def};
  }
  const UseList* fewest = nullptr;
  for (const auto& o : text.operands) {
    const auto it = state_.values.find(o.name);
    if (it == state_.values.end()) continue;
    const UseList& uses = g_.value(it->second).uses;
    if (!fewest || uses.size() < fewest->size()) fewest = &uses;
  }
  std::set<OpId> out;
  if (fewest) {
    for (const Use& u : *fewest) out.insert(u.op);
  }
  return {out.begin(), out.end()};
}

bool Search::try_op(size_t s, OpId id) {
  if (++steps_ > kMostSteps) {
    throw Error(pattern_.location(), "the pattern needs more than " + std::to_string(kMostSteps) +
                                         " steps at one place; begin it with a rarer op, or let its "
                                         "statements share more values");
  }
  const PatternStatement& st = statement(s);
  const Op& op = g_.op(id);
  if (taken(id) || !st.may_be(op.def)) return false;
  if (const std::string why = constants_differ(st, op); !why.empty()) return refuse(s, id, why);
  if (const std::string why = counts_differ(st, op, pattern_.open()); !why.empty()) return refuse(s, id, why);
  const bool two_ways = op.def->commutative && op.operands.size() >= 2 && op.operands[0] != op.operands[1];
  bool found = false;
  for (int way = 0; way < (two_ways ? 2 : 1); ++way) {
    const State saved = state_;
    state_.ops[s] = {id};
    state_.statements[s] = State::Statement::present;
    if (bind_op(s, id, way == 1)) found = extend() || found;
    state_ = saved;
  }
  return found;
}

bool Search::taken(OpId id) const {
  return std::any_of(state_.ops.begin(), state_.ops.end(), [&](const std::vector<OpId>& ops) {
    return std::find(ops.begin(), ops.end(), id) != ops.end();
  });
}

bool Search::bind_op(size_t s, OpId id, bool swapped) {
  const PatternStatement& st = statement(s);
  const Op& op = g_.op(id);
  for (size_t i = 0; i < st.text.operands.size(); ++i) {
    const std::string& name = st.text.operands[i].name;
    const size_t from = swapped && i < 2 ? 1 - i : i;
    const bool bound = from < op.operands.size() ? bind(name, op.operands[from]) : bind_absent(name);
    if (!bound) return refuse(s, id, "operand %" + name + " is another value");
  }
  for (size_t i = 0; i < st.text.results.size(); ++i) {
    if (!bind(st.text.results[i], op.results[i]))
      return refuse(s, id, "result %" + st.text.results[i] + " is another value");
  }
  for (const auto& a : st.attrs) {
    if (!a.capture.empty() && !bind_capture(a.capture, op.attrs.at(a.name))) {
      return refuse(s, id,
                    a.name + " is " + attr_text(op.attrs.at(a.name)) + ", and $" + a.capture + " is " +
                        attr_text(state_.captures.at(a.capture)));
    }
  }
  return true;
}

bool Search::bind(const std::string& variable, ValueId v) {
  if (state_.absent.contains(variable)) return false;
  const auto [it, fresh] = state_.values.emplace(variable, v);
  return fresh || it->second == v;
}

bool Search::bind_absent(const std::string& variable) {
  state_.absent.insert(variable);
  return !state_.values.contains(variable);
}

bool Search::bind_capture(const std::string& capture, const Attr& a) {
  const auto [it, fresh] = state_.captures.emplace(capture, a);
  return fresh || attr_equal(it->second, a);
}

// The longest chains that fit; of one length there may be several.
bool Search::try_chains(size_t s) {
  const auto& text = statement(s).text;
  const auto from = state_.values.find(text.operands[0].name);
  const auto to = state_.values.find(text.results[0]);
  const std::vector<Chain> chains = to != state_.values.end() ? chains_to(g_, statement(s), to->second)
                                                              : chains_from(g_, statement(s), from->second);
  bool found = false;
  for (size_t i = 0; i < chains.size(); ++i) {
    if (found && chains[i].ops.size() < chains[i - 1].ops.size()) return true;
    found = try_chain(s, chains[i]) || found;
  }
  return found || (text.repeat == '*' && try_absent(s));
}

bool Search::try_chain(size_t s, const Chain& chain) {
  if (std::any_of(chain.ops.begin(), chain.ops.end(), [&](OpId id) { return taken(id); })) return false;
  steps_ += static_cast<int64_t>(chain.ops.size());
  const State saved = state_;
  state_.ops[s] = chain.ops;
  state_.statements[s] = State::Statement::present;
  const auto& text = statement(s).text;
  const bool found = bind(text.operands[0].name, chain.from) && bind(text.results[0], chain.to) && extend();
  state_ = saved;
  return found;
}

// Not there: the result is the first operand.
bool Search::try_absent(size_t s) {
  const State saved = state_;
  state_.statements[s] = State::Statement::absent;
  const std::string& result = statement(s).text.results[0];
  const std::string& operand = statement(s).text.operands[0].name;
  const auto value = state_.values.find(result);
  const auto source = state_.values.find(operand);
  bool good = true;
  if (value != state_.values.end()) {
    good = bind(operand, value->second);
  } else if (source != state_.values.end()) {
    good = bind(result, source->second);
  }
  const bool found = good && extend();
  state_ = saved;
  return found;
}

bool Search::finish() {
  for (size_t s = 0; s < state_.ops.size(); ++s) {
    if (state_.statements[s] == State::Statement::open && !statement(s).text.optional) return false;
  }
  Match m;
  m.graph = &g_;
  m.by_statement = state_.ops;
  m.values = state_.values;
  m.captures = state_.captures;
  const size_t anchor = pattern_.anchor_statement();
  m.ops = state_.ops[anchor];
  for (size_t s = 0; s < state_.ops.size(); ++s) {
    const auto& text = statement(s).text;
    if (s != anchor) m.ops.insert(m.ops.end(), state_.ops[s].begin(), state_.ops[s].end());
    if (!text.capture.empty()) m.captured_ops[text.capture] = state_.ops[s];
  }
  if (const std::string why = refusal_ ? refusal_(m) : ""; !why.empty()) {
    if (near_ && !near_complete_) *near_ = why;
    near_complete_ = true;
    return false;
  }
  found_.push_back(std::move(m));
  return true;
}

// Is `s` all that keeps the pattern from matching?
bool Search::one_missing(size_t s) const {
  if (state_.statements.size() < 2) return false;
  for (size_t i = 0; i < state_.statements.size(); ++i) {
    const bool open = state_.statements[i] == State::Statement::open;
    if (i != s && open && !statement(i).text.optional) return false;
  }
  return true;
}

void Search::remember(const std::string& why) {
  if (near_ && near_->empty()) *near_ = why;
}

bool Search::refuse(size_t s, OpId id, const std::string& why) {
  // That an optional statement is not there is no reason.
  if (!statement(s).text.optional && one_missing(s))
    remember(g_.op(id).def->name + " %" + g_.value(g_.op(id).results[0]).name + ": " + why);
  return false;
}

}  // namespace lmc
