#include "rewrites.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "ir/op_def.h"

namespace lmc {

const std::vector<Rewriting>& rewritings() {
  static const std::vector<Rewriting> all = [] {
    std::vector<Rewriting> out = elementwise_rewritings();
    for (const auto& more : {shape_rewritings(), weight_rewritings()})
      out.insert(out.end(), more.begin(), more.end());
    return out;
  }();
  return all;
}

namespace {

// Ops of the graph and of the groups in it.
struct Place {
  Graph* graph;
  OpId op;
};

std::vector<Place> places(Graph& g) {
  std::vector<Place> out;
  for (OpId id : g.ops()) {
    out.push_back({&g, id});
    if (!g.op(id).body) continue;
    for (const Place& inner : places(g.body(id))) out.push_back(inner);
  }
  return out;
}

std::string without_numbers(std::string text) {
  std::erase_if(text, [](char c) { return (c >= '0' && c <= '9') || c == '_'; });
  return text;
}

// Ops that do the same in different layers have one.
std::string kind(const Place& p) {
  const Op& op = p.graph->op(p.op);
  return op.def->name + " " + without_numbers(op.scope + " " + p.graph->value(p.graph->result(p.op)).name);
}

std::string result_name(const Place& p) { return p.graph->value(p.graph->result(p.op)).name; }

// At one place of `g`, by its number. Returns whether it fitted.
bool rewrite_at(Graph& g, size_t number, const Rewriting& rewriting, Rng& random) {
  Graph trial = g.clone();
  const Place p = places(trial)[number];
  if (!rewriting.apply(*p.graph, p.op, random)) return false;
  p.graph->remove_dead();
  if (!can_be_compiled(trial)) return false;
  g = trial.clone();  // compact: every clone has its places in the same order
  return true;
}

}  // namespace

std::string rewrite_somewhere(Graph& g, const Rewriting& rewriting, Rng& random) {
  g = g.clone();
  std::vector<size_t> numbers(places(g).size());
  std::iota(numbers.begin(), numbers.end(), size_t{0});
  std::shuffle(numbers.begin(), numbers.end(), random);
  for (const size_t n : numbers) {
    const std::vector<Place> before = places(g);
    const std::string name = result_name(before[n]);
    std::set<std::string> twins;
    for (const Place& p : before) {
      if (kind(p) == kind(before[n]) && result_name(p) != name) twins.insert(result_name(p));
    }
    if (!rewrite_at(g, n, rewriting, random)) continue;
    if (one_in(random, 2)) return rewriting.name + " at %" + name;
    for (const std::string& twin : twins) {
      const std::vector<Place> now = places(g);
      const auto it =
          std::find_if(now.begin(), now.end(), [&](const Place& p) { return result_name(p) == twin; });
      if (it != now.end()) rewrite_at(g, static_cast<size_t>(it - now.begin()), rewriting, random);
    }
    return rewriting.name + " at %" + name + " and in the other layers";
  }
  return "";
}

Graph in_another_order(const Graph& g, Rng& random) {
  Graph out(g.name);
  SideTable<ValueId, ValueId> map(g.num_value_ids());
  for (ValueId v : g.inputs()) map[v] = out.add_input(g.value(v).name, g.type(v));
  for (ValueId v : g.weights()) map[v] = out.add_weight(g.value(v).name, g.type(v));
  std::vector<OpId> left = g.ops();
  const auto ready = [&](OpId id) {
    const auto& operands = g.op(id).operands;
    return std::all_of(operands.begin(), operands.end(), [&](ValueId v) { return map[v].valid(); });
  };
  while (!left.empty()) {
    std::vector<size_t> candidates;
    for (size_t i = 0; i < left.size(); ++i) {
      if (ready(left[i])) candidates.push_back(i);
    }
    const size_t at = pick(random, candidates);
    const Op& op = g.op(left[at]);
    std::vector<ValueId> operands;
    for (ValueId v : op.operands) operands.push_back(map[v]);
    std::vector<std::string> names;
    for (ValueId r : op.results) names.push_back(g.value(r).name);
    const OpId made = out.add_op(*op.def, operands, op.attrs, names, op.scope, op.loc,
                                 op.body ? std::make_unique<Graph>(op.body->clone()) : nullptr);
    for (size_t i = 0; i < op.results.size(); ++i) map[op.results[i]] = out.result(made, i);
    left.erase(left.begin() + static_cast<int64_t>(at));
  }
  std::vector<ValueId> outputs;
  for (ValueId v : g.outputs()) outputs.push_back(map[v]);
  out.set_outputs(outputs);
  return out;
}

bool is_activation(const Graph& g, ValueId v) {
  const Type& t = g.type(v);
  return t.dtype == DType::f32 && !t.is_static() && t.rank() >= 2;
}

bool is_weight(const Graph& g, ValueId v) { return g.type(v).is_static() && !is_kv(g.type(v).dtype); }

ValueId add(Graph& g, const Op& like, const std::string& name, const std::vector<ValueId>& operands,
            AttrMap attrs) {
  const std::string scope = like.scope;  // adding an op moves the others
  return g.result(g.add_op(name, operands, std::move(attrs), {"r"}, scope));
}

OpId add_copy(Graph& g, OpId id, const std::vector<ValueId>& operands) {
  const Op& op = g.op(id);
  std::vector<std::string> names;
  for (ValueId r : op.results) names.push_back(g.value(r).name);
  const OpDef& def = *op.def;
  return g.add_op(def, operands, AttrMap(op.attrs), names, std::string(op.scope), Location(op.loc),
                  op.body ? std::make_unique<Graph>(op.body->clone()) : nullptr);
}

void Readers::read(Graph& g, ValueId instead) const {
  for (const Use& u : uses_) g.set_operand(u.op, u.operand, instead);
  std::vector<ValueId> outputs = g.outputs();
  std::replace(outputs.begin(), outputs.end(), v_, instead);
  g.set_outputs(outputs);
}

}  // namespace lmc
