#include "ir/verify.h"

#include <algorithm>
#include <unordered_set>

#include "ir/effects.h"
#include "ir/op_def.h"
#include "ir/syntax.h"
#include "ir/verify_step.h"

namespace lmc {
namespace {

class Verifier {
 public:
  // `depth`: of groups around it.
  Verifier(const Graph& g, int depth) : g_(g), depth_(depth) {}

  std::vector<std::string> run() {
    names();
    uses();
    attributes();
    if (!messages_.empty()) return std::move(messages_);  // the rest walks use lists
    try {
      order_ = topo_order(g_);
    } catch (const Error& e) {
      fail(e.what());
      return std::move(messages_);
    }
    types();
    caches();
    outputs();
    if (depth_ == 0 && messages_.empty()) messages_ = step_messages(g_);
    return std::move(messages_);
  }

 private:
  void fail(const std::string& message) { messages_.push_back(message); }

  bool alive(ValueId v) const {
    if (!v.valid() || v.v >= g_.num_value_ids()) return false;
    const Value& value = g_.value(v);
    return value.kind != ValueKind::result || !g_.is_erased(value.def);
  }

  void names() {
    std::unordered_set<std::string> seen;
    for (uint32_t i = 0; i < g_.num_value_ids(); ++i) {
      const Value& v = g_.value(ValueId{i});
      if (!alive(ValueId{i})) continue;
      if (v.kind == ValueKind::weight && v.uses.empty()) continue;  // may have been dropped from the graph
      const std::string name = (v.kind == ValueKind::weight ? "@" : "%") + v.name;
      if (!seen.insert(name).second) fail(name + " names two values");
      const bool good =
          v.kind == ValueKind::weight ? syntax::is_weight_name(v.name) : syntax::is_value_name(v.name);
      if (!good) fail(name + " is no name that the text form can hold");
    }
    if (depth_ == 0 && !syntax::is_weight_name(g_.name)) fail("'" + g_.name + "' is no name for a graph");
    if (depth_ > syntax::kMostGroups)
      fail("more than " + std::to_string(syntax::kMostGroups) + " groups stand in each other");
  }

  void attributes() {
    for (OpId id : g_.ops()) {
      const Op& op = g_.op(id);
      if (!op.scope.empty() && !syntax::is_scope_name(op.scope))
        fail("'" + op.scope + "' is no name for a scope");
      size_t known = 0;
      for (const AttrDef& a : op.def->attrs) {
        const auto it = op.attrs.find(a.name);
        const std::string what = op.def->name + ": attribute '" + a.name + "' ";
        if (it == op.attrs.end()) {
          fail(what + "is missing");
          continue;
        }
        ++known;
        if (attr_kind(it->second) != a.kind) {
          fail(what + "must be " + attr_kind_name(a.kind) + ", found " + attr_text(it->second));
        } else if (!has_text(it->second)) {
          fail(what + "is out of range: " + attr_text(it->second));
        }
      }
      if (known < op.attrs.size()) fail(op.def->name + " has attributes that it does not know");
    }
  }

  void uses() {
    size_t operands = 0;
    const std::vector<size_t> first = first_operands();
    const std::vector<char> listed = listed_uses(first);
    for (OpId id : g_.ops()) {
      const Op& op = g_.op(id);
      for (uint32_t i = 0; i < op.operands.size(); ++i) {
        ++operands;
        if (!alive(op.operands[i])) {
          fail(op.def->name + ": operand " + std::to_string(i) + " does not exist any more");
        } else if (!listed[first[id.v] + i]) {
          fail(op.def->name + ": operand %" + g_.value(op.operands[i]).name + " does not list this use");
        }
      }
    }
    size_t uses = 0;
    for (uint32_t i = 0; i < g_.num_value_ids(); ++i) {
      if (alive(ValueId{i})) uses += g_.value(ValueId{i}).uses.size();
    }
    if (uses != operands && messages_.empty()) fail("use lists hold uses that no operand makes");
  }

  // By op, where its operands begin if all operands stand in a row; and how many there are.
  std::vector<size_t> first_operands() const {
    std::vector<size_t> out(g_.num_op_ids() + 1, 0);
    for (uint32_t i = 0; i < g_.num_op_ids(); ++i) out[i + 1] = out[i] + g_.op(OpId{i}).operands.size();
    return out;
  }

  // Of all operands in a row: does the value list this use?
  std::vector<char> listed_uses(const std::vector<size_t>& first) const {
    std::vector<char> out(first.back(), 0);
    for (uint32_t i = 0; i < g_.num_value_ids(); ++i) {
      for (const Use& u : g_.value(ValueId{i}).uses) {
        if (u.op.v >= g_.num_op_ids() || u.operand >= g_.op(u.op).operands.size()) continue;
        if (g_.op(u.op).operands[u.operand] == ValueId{i}) out[first[u.op.v] + u.operand] = 1;
      }
    }
    return out;
  }

  void types() {
    for (OpId id : order_) {
      const Op& op = g_.op(id);
      std::vector<Type> types;
      for (ValueId v : op.operands) types.push_back(g_.type(v));
      try {
        const std::vector<Type> results = op.def->infer({types, op.attrs, op.body.get()});
        for (size_t i = 0; i < op.results.size(); ++i) {
          if (i >= results.size() || results[i] != g_.type(op.results[i])) {
            fail("%" + g_.value(op.results[i]).name + " is typed " + g_.type(op.results[i]).str() + ", but " +
                 op.def->name + " gives " + (i < results.size() ? results[i].str() : "nothing"));
          }
        }
      } catch (const Error& e) {
        fail(op.def->name + ": " + e.what());
      }
      if (op.body) {
        for (const std::string& m : Verifier(*op.body, depth_ + 1).run())
          fail("in group %" + g_.value(op.results[0]).name + ": " + m);
      }
    }
  }

  // A cache is changed in place, so two ops that change one would overwrite each other's.
  void caches() {
    for (uint32_t i = 0; i < g_.num_value_ids(); ++i) {
      const ValueId v{i};
      if (!alive(v) || !is_kv(g_.type(v).dtype)) continue;
      int appends = 0;
      for (const Use& u : g_.value(v).uses) {
        for (const Update& x : updates_of(g_.op(u.op))) appends += x.operand == u.operand;
      }
      if (appends > 1)
        fail("cache %" + g_.value(v).name + " is appended to " + std::to_string(appends) + " times");
    }
  }

  void outputs() {
    if (g_.outputs().empty()) fail("it returns nothing");
    for (ValueId v : g_.outputs()) {
      if (!alive(v)) fail("an output does not exist any more");
    }
  }

  const Graph& g_;
  const int depth_;
  std::vector<OpId> order_;
  std::vector<std::string> messages_;
};

}  // namespace

std::vector<std::string> verify_messages(const Graph& g) { return Verifier(g, 0).run(); }

void verify(const Graph& g) {
  const std::vector<std::string> messages = verify_messages(g);
  if (messages.empty()) return;
  std::string all = "graph @" + g.name + " is not sound: " + messages[0];
  for (size_t i = 1; i < messages.size() && i < 5; ++i) all += "; " + messages[i];
  if (messages.size() > 5) all += "; and " + std::to_string(messages.size() - 5) + " more";
  throw Error(all);
}

}  // namespace lmc
