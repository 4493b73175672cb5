#include "ir/graph.h"

#include <algorithm>
#include <charconv>
#include <queue>
#include <utility>

#include "ir/op_def.h"
#include "ir/text.h"

namespace lmc {
namespace {

std::string key(const std::string& name, bool weight) { return (weight ? "@" : "%") + name; }

// Fills in defaults and turns integers into reals where the op wants reals.
AttrMap complete_attrs(const OpDef& def, AttrMap given) {
  AttrMap out;
  for (const AttrDef& a : def.attrs) {
    auto it = given.find(a.name);
    if (it == given.end()) {
      require(a.fallback.has_value(), [&] { return "attribute '" + a.name + "' is missing"; });
      out[a.name] = *a.fallback;
      continue;
    }
    Attr value = std::move(it->second);
    given.erase(it);
    if (a.kind == AttrKind::real && attr_kind(value) == AttrKind::integer) {
      value = static_cast<double>(std::get<int64_t>(value));
    }
    if (a.kind == AttrKind::reals && attr_kind(value) == AttrKind::integers) {
      const auto& whole = std::get<std::vector<int64_t>>(value);
      value = std::vector<double>(whole.begin(), whole.end());
    }
    require(attr_kind(value) == a.kind, [&] {
      return "attribute '" + a.name + "' must be " + attr_kind_name(a.kind) + ", found " + attr_text(value);
    });
    require(has_text(value),
            [&] { return "attribute '" + a.name + "' is out of range: " + attr_text(value); });
    out[a.name] = std::move(value);
  }
  if (!given.empty()) {
    std::string known;
    for (const AttrDef& a : def.attrs) known += (known.empty() ? "" : ", ") + a.name;
    throw Error("unknown attribute '" + given.begin()->first + "'" +
                (known.empty() ? "; it has none" : "; it has " + known));
  }
  return out;
}

void check_operand_count(const OpDef& def, size_t count) {
  size_t least = 0;
  size_t most = def.operands.size();
  for (const OperandDef& o : def.operands) {
    if (o.variadic) most = SIZE_MAX;
    if (!o.optional) ++least;
  }
  require(count >= least && count <= most, [&] {
    return "expected " + std::to_string(least) +
           (most == least      ? ""
            : most == SIZE_MAX ? " or more"
                               : " to " + std::to_string(most)) +
           " operands, found " + std::to_string(count);
  });
}

}  // namespace

ValueId Graph::new_value(Value v) {
  const ValueId id{static_cast<uint32_t>(values_.size())};
  const bool weight = v.kind == ValueKind::weight;
  if (!by_name_.emplace(key(v.name, weight), id).second) {
    v.name = unique_name(v.name, weight);
    by_name_.emplace(key(v.name, weight), id);
  }
  values_.push_back(std::move(v));
  return id;
}

std::string Graph::unique_name(const std::string& wanted, bool weight) {
  const std::string base = key(wanted, weight);
  if (!by_name_.contains(base)) return wanted;
  int64_t& taken = taken_[base];  // without it, a thousand reshapes would be a million look-ups
  while (by_name_.contains(base + "_" + std::to_string(taken + 1))) ++taken;
  return wanted + "_" + std::to_string(taken + 1);
}

void Graph::forget_name(const std::string& name_key) {
  by_name_.erase(name_key);
  const size_t underscore = name_key.rfind('_');
  if (underscore == std::string::npos) return;
  const auto base = taken_.find(name_key.substr(0, underscore));
  if (base == taken_.end()) return;
  int64_t suffix = 0;
  const char* const end = name_key.data() + name_key.size();
  if (std::from_chars(name_key.data() + underscore + 1, end, suffix).ptr == end && suffix > 0)
    base->second = std::min(base->second, suffix - 1);
}

ValueId Graph::add_input(const std::string& input_name, const Type& type) {
  require(!by_name_.contains(key(input_name, false)),
          [&] { return "input %" + input_name + " is declared twice"; });
  const ValueId id = new_value({ValueKind::input, type, input_name, {}, 0, {}, 0});
  inputs_.push_back(id);
  return id;
}

ValueId Graph::add_weight(const std::string& weight_name, const Type& type) {
  if (const ValueId known = find_weight(weight_name); known.valid()) {
    require(values_[known.v].type == type, [&] {
      return "weight @" + weight_name + " has type " + values_[known.v].type.str() + " and cannot be " +
             type.str() + " as well";
    });
    return known;
  }
  const ValueId id = new_value({ValueKind::weight, type, weight_name, {}, 0, {}, 0});
  weights_.push_back(id);
  return id;
}

ValueId Graph::find_weight(std::string_view weight_name) const {
  const auto it = by_name_.find(key(std::string(weight_name), true));
  return it == by_name_.end() ? ValueId{} : it->second;
}

ValueId Graph::find_input(std::string_view input_name) const {
  const auto it = by_name_.find(key(std::string(input_name), false));
  if (it == by_name_.end() || values_[it->second.v].kind != ValueKind::input) return {};
  return it->second;
}

OpId Graph::add_op(const OpDef& def, std::vector<ValueId> operands, AttrMap attrs,
                   std::vector<std::string> result_names, std::string scope, Location loc,
                   std::unique_ptr<Graph> body) {
  std::vector<Type> result_types;
  try {
    attrs = complete_attrs(def, std::move(attrs));
    check_operand_count(def, operands.size());
    std::vector<Type> types;
    for (ValueId v : operands) types.push_back(type(v));
    result_types = def.infer({types, attrs, body.get()});
    for (const Type& t : result_types)
      require(t.is_countable(),
              [&] { return "the result, " + t.str() + ", has more elements than can be counted"; });
  } catch (const Error& e) {
    if (e.location.line > 0) throw;
    throw Error(loc, def.name + ": " + e.what());
  }

  result_names.resize(result_types.size(), def.name);
  return insert({&def,
                 std::move(operands),
                 {},
                 std::move(attrs),
                 std::move(body),
                 std::move(scope),
                 std::move(loc),
                 false,
                 -1},
                std::move(result_types), std::move(result_names));
}

OpId Graph::insert(Op op, std::vector<Type> types, std::vector<std::string> names) {
  const OpId id{static_cast<uint32_t>(ops_.size())};
  for (uint32_t i = 0; i < op.operands.size(); ++i) values_[op.operands[i].v].uses.push_back({id, i});
  for (uint32_t i = 0; i < types.size(); ++i) {
    op.results.push_back(
        new_value({ValueKind::result, std::move(types[i]), std::move(names[i]), id, i, {}, 0}));
  }
  ops_.push_back(std::move(op));
  return id;
}

OpId Graph::add_op(std::string_view op_name, std::vector<ValueId> operands, AttrMap attrs,
                   std::vector<std::string> result_names, std::string scope, Location loc) {
  return add_op(get_op(op_name), std::move(operands), std::move(attrs), std::move(result_names),
                std::move(scope), std::move(loc));
}

const Op* Graph::def_op(ValueId id) const {
  const Value& v = values_[id.v];
  return v.kind == ValueKind::result ? &ops_[v.def.v] : nullptr;
}

std::vector<OpId> Graph::ops() const {
  std::vector<OpId> out;
  for (uint32_t i = 0; i < ops_.size(); ++i) {
    if (!ops_[i].erased) out.push_back({i});
  }
  return out;
}

std::vector<ValueId> Graph::weights() const { return weights_; }

void Graph::set_outputs(std::vector<ValueId> outputs) {
  const auto exists = [&](ValueId v) { return v.v < values_.size(); };  // else the verifier tells
  for (ValueId v : outputs_) {
    if (exists(v)) --values_[v.v].returned;
  }
  outputs_ = std::move(outputs);
  for (ValueId v : outputs_) {
    if (exists(v)) ++values_[v.v].returned;
  }
}

void Graph::set_attr(OpId op, const std::string& attr, Attr value) {
  ops_[op.v].attrs[attr] = std::move(value);
}

void Graph::set_scope(OpId op, std::string scope) { ops_[op.v].scope = std::move(scope); }

void Graph::set_operand(OpId op, size_t index, ValueId to) {
  const ValueId from = ops_[op.v].operands[index];
  values_[from.v].uses.remove({op, static_cast<uint32_t>(index)});
  values_[to.v].uses.push_back({op, static_cast<uint32_t>(index)});
  ops_[op.v].operands[index] = to;
}

void Graph::set_type(ValueId v, const Type& type) { values_[v.v].type = type; }

void Graph::rename(ValueId v, const std::string& wanted) {
  Value& value = values_[v.v];
  const bool weight = value.kind == ValueKind::weight;
  if (value.name == wanted) return;
  const std::string chosen = unique_name(wanted, weight);
  forget_name(key(value.name, weight));
  value.name = chosen;
  by_name_[key(chosen, weight)] = v;
}

void Graph::replace_all_uses(ValueId from, ValueId to) {
  if (from == to) return;
  for (const Use& u : values_[from.v].uses) {
    ops_[u.op.v].operands[u.operand] = to;
    values_[to.v].uses.push_back(u);
  }
  values_[from.v].uses.clear();
  if (!is_output(from)) return;
  std::replace(outputs_.begin(), outputs_.end(), from, to);
  values_[to.v].returned += std::exchange(values_[from.v].returned, 0);
}

void Graph::erase_op(OpId id) {
  Op& op = ops_[id.v];
  for (uint32_t i = 0; i < op.operands.size(); ++i) values_[op.operands[i].v].uses.remove({id, i});
  for (ValueId r : op.results) forget_name(key(values_[r.v].name, false));
  op.operands.clear();
  op.body.reset();
  op.erased = true;
}

void Graph::remove_weight_if_unused(ValueId w) {
  if (!values_[w.v].uses.empty() || is_output(w)) return;
  std::erase(weights_, w);
  forget_name(key(values_[w.v].name, true));
}

size_t Graph::remove_dead() {
  std::vector<OpId> pending = ops();
  size_t removed = 0;
  while (!pending.empty()) {
    const OpId id = pending.back();
    pending.pop_back();
    const Op& op = ops_[id.v];
    if (op.erased) continue;
    const bool used = std::any_of(op.results.begin(), op.results.end(),
                                  [&](ValueId r) { return is_output(r) || !values_[r.v].uses.empty(); });
    if (used) continue;
    for (ValueId v : op.operands) {
      if (values_[v.v].kind == ValueKind::result) pending.push_back(values_[v.v].def);
    }
    erase_op(id);
    ++removed;
  }
  return removed;
}

void Graph::reinfer() {
  for (OpId id : topo_order(*this)) {
    Op& op = ops_[id.v];
    std::vector<Type> types;
    for (ValueId v : op.operands) types.push_back(type(v));
    if (op.body) {
      for (size_t i = 0; i < types.size(); ++i) op.body->set_type(op.body->inputs_[i], types[i]);
      op.body->reinfer();
    }
    try {
      const std::vector<Type> results = op.def->infer({types, op.attrs, op.body.get()});
      for (size_t i = 0; i < op.results.size(); ++i) values_[op.results[i].v].type = results.at(i);
    } catch (const Error& e) {
      throw Error(op.loc, op.def->name + ": " + e.what());
    }
  }
}

Graph Graph::clone() const {
  Graph out(name);
  out.ops_.reserve(ops_.size());
  out.values_.reserve(values_.size());
  out.by_name_.reserve(by_name_.size());
  SideTable<ValueId, ValueId> map(values_.size());
  for (ValueId v : inputs_) map[v] = out.add_input(values_[v.v].name, type(v));
  for (ValueId v : weights_) map[v] = out.add_weight(values_[v.v].name, type(v));
  for (OpId id : topo_order(*this)) {
    const Op& op = ops_[id.v];
    std::vector<ValueId> operands;
    for (ValueId v : op.operands) operands.push_back(map[v]);
    std::vector<Type> types;
    std::vector<std::string> names;
    for (ValueId r : op.results) {
      types.push_back(type(r));
      names.push_back(values_[r.v].name);
    }
    std::unique_ptr<Graph> body = op.body ? std::make_unique<Graph>(op.body->clone()) : nullptr;
    const OpId copy = out.insert(
        {op.def, std::move(operands), {}, op.attrs, std::move(body), op.scope, op.loc, false, op.source},
        std::move(types), std::move(names));
    for (size_t i = 0; i < op.results.size(); ++i) map[op.results[i]] = out.result(copy, i);
  }
  std::vector<ValueId> outputs;
  for (ValueId v : outputs_) outputs.push_back(map[v]);
  out.set_outputs(outputs);
  return out;
}

namespace {

// Does every op stand behind those whose results it needs? Whatever was read or copied does; what a pass has
// put in stands at the end.
bool in_order_already(const Graph& g, const std::vector<OpId>& live) {
  return std::all_of(live.begin(), live.end(), [&](OpId id) {
    const auto& operands = g.op(id).operands;
    return std::all_of(operands.begin(), operands.end(), [&](ValueId v) {
      const Value& value = g.value(v);
      return value.kind != ValueKind::result || (value.def < id && !g.is_erased(value.def));
    });
  });
}

}  // namespace

std::vector<OpId> topo_order(const Graph& g) {
  const std::vector<OpId> live = g.ops();
  if (in_order_already(g, live)) return live;
  std::vector<uint32_t> waiting(g.num_op_ids(), 0);
  std::priority_queue<uint32_t, std::vector<uint32_t>, std::greater<>> ready;
  for (OpId id : live) {
    for (ValueId v : g.op(id).operands) waiting[id.v] += g.value(v).kind == ValueKind::result;
    if (waiting[id.v] == 0) ready.push(id.v);
  }
  std::vector<OpId> order;
  order.reserve(live.size());
  while (!ready.empty()) {
    const OpId id{ready.top()};
    ready.pop();
    order.push_back(id);
    for (ValueId r : g.op(id).results) {
      for (const Use& u : g.value(r).uses) {
        if (--waiting[u.op.v] == 0) ready.push(u.op.v);
      }
    }
  }
  if (order.size() != live.size()) throw Error("graph @" + g.name + " has a cycle");
  return order;
}

namespace {

void number_from(Graph& g, int32_t& next) {
  for (OpId id : topo_order(g)) {
    g.set_source(id, next++);
    if (g.op(id).body) number_from(g.body(id), next);
  }
}

}  // namespace

void number_ops(Graph& g) {
  int32_t next = 0;
  number_from(g, next);
}

SideTable<ValueId, char> weight_only(const Graph& g) {
  SideTable<ValueId, char> out(g.num_value_ids(), 0);
  for (ValueId w : g.weights()) out[w] = 1;
  for (OpId id : topo_order(g)) {
    const Op& op = g.op(id);
    const bool all = !op.operands.empty() && std::all_of(op.operands.begin(), op.operands.end(),
                                                         [&](ValueId v) { return out[v] != 0; });
    for (ValueId r : op.results) out[r] = all;
  }
  return out;
}

namespace {

const Attr& attr(const Op& op, std::string_view name) {
  const auto it = op.attrs.find(std::string(name));
  require(it != op.attrs.end(),
          [&] { return op.def->name + " has no attribute '" + std::string(name) + "'"; });
  return it->second;
}

}  // namespace

int64_t attr_int(const Op& op, std::string_view name) { return std::get<int64_t>(attr(op, name)); }

double attr_real(const Op& op, std::string_view name) { return std::get<double>(attr(op, name)); }

const std::string& attr_string(const Op& op, std::string_view name) {
  return std::get<std::string>(attr(op, name));
}

const std::vector<int64_t>& attr_ints(const Op& op, std::string_view name) {
  return std::get<std::vector<int64_t>>(attr(op, name));
}

const std::vector<double>& attr_reals(const Op& op, std::string_view name) {
  return std::get<std::vector<double>>(attr(op, name));
}

uint64_t graph_hash(const Graph& g) { return std::hash<std::string>()(print_graph(g)); }

}  // namespace lmc
