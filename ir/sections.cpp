#include "ir/sections.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <queue>

#include "ir/op_def.h"

namespace lmc {
namespace {

const char* const kShared = "shared";

bool is_step_op(const SideTable<ValueId, char>& constant, const Op& op) { return !constant[op.results[0]]; }

// Longest way from the graph's inputs. Weights are no way.
SideTable<OpId, int> depths(const Graph& g, const SideTable<ValueId, char>& constant) {
  SideTable<OpId, int> depth(g.num_op_ids(), 0);
  for (OpId id : topo_order(g)) {
    if (!is_step_op(constant, g.op(id))) continue;
    for (ValueId v : g.op(id).operands) {
      if (g.def_op(v)) depth[id] = std::max(depth[id], depth[g.value(v).def]);
    }
    ++depth[id];
  }
  return depth;
}

bool read_by_another_layer(const Graph& g, const Op& op, const ScopePart& own) {
  for (ValueId r : op.results) {
    for (const Use& u : g.value(r).uses) {
      const ScopePart reader = part_of_scope(g.op(u.op).scope);
      if (reader.index >= 0 && reader.name != own.name) return true;
    }
  }
  return false;
}

// Ops of layers that need nothing but graph inputs and serve other layers too.
SideTable<OpId, char> shared_ops(const Graph& g, const SideTable<ValueId, char>& constant) {
  SideTable<OpId, char> free(g.num_op_ids(), 0);
  SideTable<OpId, char> out(g.num_op_ids(), 0);
  for (OpId id : topo_order(g)) {
    const Op& op = g.op(id);
    const ScopePart part = part_of_scope(op.scope);
    if (part.index < 0 || !is_step_op(constant, op)) continue;
    free[id] = std::all_of(op.operands.begin(), op.operands.end(), [&](ValueId v) {
      const Value& value = g.value(v);
      return value.kind == ValueKind::input || (value.kind == ValueKind::result && free[value.def]);
    });
    out[id] = free[id] && read_by_another_layer(g, op, part);
  }
  return out;
}

class FormWriter {
 public:
  FormWriter(const Graph& g, const std::vector<GraphSection>& all)
      : g_(g), all_(all), section_(g.num_op_ids(), 0) {
    for (size_t s = 0; s < all.size(); ++s) {
      for (OpId id : all[s].ops) section_[id] = s;
    }
  }

  SectionForm write(size_t s) {
    now_ = s;
    form_ = {};
    number_.clear();
    for (OpId id : all_[s].ops) statement(id);
    return std::move(form_);
  }

 private:
  int64_t index() const { return all_[now_].part.index; }

  void statement(OpId id) {
    const Op& op = g_.op(id);
    std::string& out = form_.text;
    out += without_index(op.scope, index()) + "|" + op.def->name;
    for (ValueId v : op.operands) out += " " + operand(v);
    for (const auto& [name, value] : op.attrs) out += " " + name + "=" + attr_text(value);
    if (op.body) out += "{" + body_text(*op.body) + "}";
    for (ValueId r : op.results) out += " ->" + number(r) + ":" + g_.type(r).str() + readers(r);
    out += "\n";
  }

  std::string number(ValueId v) {
    const auto [it, fresh] = number_.emplace(v, form_.values.size());
    if (fresh) form_.values.push_back(v);
    return "%" + std::to_string(it->second);
  }

  std::string operand(ValueId v) {
    const Value& value = g_.value(v);
    if (value.kind == ValueKind::weight)
      return "@" + without_index(value.name, index()) + ":" + value.type.str();
    if (number_.contains(v)) return number(v);
    return number(v) + ":" + value.type.str() + " of " + origin(value);
  }

  // Where a value from outside comes from, as seen from here: the part before this one is the same place for
  // every layer.
  std::string origin(const Value& value) const {
    if (value.kind == ValueKind::input) return "input " + without_index(value.name, index());
    const size_t from = section_[value.def];
    if (from == now_) return "here";
    if (all_[from].part.name != kShared) return std::to_string(now_ - from);
    std::string out = g_.op(value.def).def->name;
    for (const auto& [name, attr] : g_.op(value.def).attrs) out += " " + name + "=" + attr_text(attr);
    for (ValueId v : g_.op(value.def).operands) {
      out += g_.def_op(v) ? " (" + origin(g_.value(v)) + ")" : " " + g_.value(v).name;
    }
    return out + " " + std::to_string(value.result_index);
  }

  std::string readers(ValueId r) const {
    bool outside = false;
    for (const Use& u : g_.value(r).uses) outside = outside || section_[u.op] != now_;
    return (outside ? "!" : "") + std::string(g_.is_output(r) ? "^" : "");
  }

  static std::string body_text(const Graph& body) {
    std::vector<GraphSection> one(1);
    one[0].ops = topo_order(body);
    FormWriter inner(body, one);
    inner.now_ = 0;
    std::string inputs;
    for (ValueId v : body.inputs()) inputs += inner.number(v) + ",";
    for (OpId id : one[0].ops) inner.statement(id);
    std::string outputs;
    for (ValueId v : body.outputs()) outputs += inner.number(v) + ",";
    return inputs + "\n" + inner.form_.text + "return " + outputs;
  }

  const Graph& g_;
  const std::vector<GraphSection>& all_;
  SideTable<OpId, size_t> section_;
  size_t now_ = 0;
  SectionForm form_;
  std::map<ValueId, size_t> number_;
};

}  // namespace

ScopePart part_of_scope(std::string_view scope) {
  size_t start = 0;
  while (start <= scope.size()) {
    const size_t end = std::min(scope.find('.', start), scope.size());
    const std::string_view component = scope.substr(start, end - start);
    ScopePart part{std::string(scope.substr(0, end)), std::string(scope.substr(0, start ? start - 1 : 0)),
                   -1};
    const auto r = std::from_chars(component.data(), component.data() + component.size(), part.index);
    const bool whole = r.ec == std::errc() && r.ptr == component.data() + component.size();
    if (start > 0 && whole && part.index >= 0) return part;
    start = end + 1;
  }
  return {std::string(scope.substr(0, scope.find('.'))), "", -1};
}

bool scope_within(std::string_view scope, std::string_view outer) {
  return scope.starts_with(outer) &&
         (outer.empty() || scope.size() == outer.size() || scope[outer.size()] == '.');
}

std::string without_index(const std::string& name, int64_t index) {
  const auto replaced = [&](int64_t number, const char* by) -> std::optional<std::string> {
    if (number < 0) return std::nullopt;
    const std::string wanted = std::to_string(number);
    for (size_t start = 0; start <= name.size();) {
      const size_t end = std::min(name.find('.', start), name.size());
      if (name.compare(start, end - start, wanted) == 0) return name.substr(0, start) + by + name.substr(end);
      start = end + 1;
    }
    return std::nullopt;
  };
  if (auto own = replaced(index, "{}")) return *own;
  return replaced(index - 1, "{-1}").value_or(name);
}

ReadingOrder reading_order(const Graph& g) {
  const SideTable<ValueId, char> constant = weight_only(g);
  ReadingOrder out(g.num_op_ids(), 0);
  std::vector<OpId> order = topo_order(g);
  std::reverse(order.begin(), order.end());
  for (OpId id : order) {
    out[id] = id.v;
    if (is_step_op(constant, g.op(id))) continue;
    double first = 1e18;
    for (ValueId r : g.op(id).results) {
      for (const Use& u : g.value(r).uses) first = std::min(first, out[u.op]);
    }
    if (first < 1e18) out[id] = first - 1e-3;
  }
  return out;
}

std::vector<OpId> in_reading_order(const Graph& g, const std::vector<OpId>& ops, const ReadingOrder& order) {
  std::map<OpId, int> waiting;
  for (OpId id : ops) waiting[id] = 0;
  for (OpId id : ops) {
    for (ValueId v : g.op(id).operands) waiting[id] += g.def_op(v) && waiting.contains(g.value(v).def);
  }
  const auto later = [&](OpId a, OpId b) { return order[a] != order[b] ? order[a] > order[b] : a > b; };
  std::priority_queue<OpId, std::vector<OpId>, decltype(later)> ready(later);
  for (const auto& [id, count] : waiting) {
    if (count == 0) ready.push(id);
  }
  std::vector<OpId> out;
  while (!ready.empty()) {
    const OpId id = ready.top();
    ready.pop();
    out.push_back(id);
    for (ValueId r : g.op(id).results) {
      for (const Use& u : g.value(r).uses) {
        const auto it = waiting.find(u.op);
        if (it != waiting.end() && --it->second == 0) ready.push(u.op);
      }
    }
  }
  return out;
}

std::vector<GraphSection> sections(const Graph& g, const ReadingOrder& order) {
  const SideTable<ValueId, char> constant = weight_only(g);
  const SideTable<OpId, int> depth = depths(g, constant);
  const SideTable<OpId, char> shared = shared_ops(g, constant);
  struct Found {
    GraphSection section;
    int depth = 0;
  };
  std::map<std::string, Found> found;
  for (OpId id : g.ops()) {
    const ScopePart part = shared[id] ? ScopePart{kShared, "", -1} : part_of_scope(g.op(id).scope);
    Found& f = found[part.name];
    f.section.part = part;
    f.section.ops.push_back(id);
    f.depth = shared[id] ? -1 : std::max(f.depth, depth[id]);
  }
  std::vector<Found> in_order;
  for (auto& [name, f] : found) in_order.push_back(std::move(f));
  std::stable_sort(in_order.begin(), in_order.end(), [](const Found& a, const Found& b) {
    return std::tie(a.depth, a.section.part.index) < std::tie(b.depth, b.section.part.index);
  });
  std::vector<GraphSection> out;
  for (Found& f : in_order) {
    f.section.ops = in_reading_order(g, f.section.ops, order);
    out.push_back(std::move(f.section));
  }
  return out;
}

std::vector<GraphSection> sections(const Graph& g) { return sections(g, reading_order(g)); }

std::vector<SectionForm> section_forms(const Graph& g, const std::vector<GraphSection>& all) {
  FormWriter writer(g, all);
  std::vector<SectionForm> out;
  for (size_t s = 0; s < all.size(); ++s) out.push_back(writer.write(s));
  return out;
}

std::vector<std::vector<size_t>> alike(const std::vector<std::string>& texts) {
  std::map<std::string_view, size_t> known;
  std::vector<std::vector<size_t>> out;
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto [it, fresh] = known.emplace(texts[i], out.size());
    if (fresh) out.emplace_back();
    out[it->second].push_back(i);
  }
  return out;
}

std::string sections_label(const std::vector<ScopePart>& parts) {
  if (parts.size() == 1) return parts[0].name.empty() ? "(no scope)" : parts[0].name;
  const std::string times = " × " + std::to_string(parts.size());
  const ScopePart& first = parts.front();
  const ScopePart& last = parts.back();
  if (first.series == last.series && last.index - first.index + 1 == static_cast<int64_t>(parts.size()))
    return first.name + " … " + last.name + times;
  std::vector<std::string> runs;
  for (size_t i = 0; i < parts.size();) {
    size_t end = i + 1;
    while (end < parts.size() && parts[end].series == parts[i].series && parts[i].index >= 0 &&
           parts[end].index == parts[end - 1].index + 1)
      ++end;
    const bool same_series = i > 0 && parts[i].index >= 0 && parts[i].series == parts[i - 1].series;
    runs.push_back(same_series ? std::to_string(parts[i].index) : parts[i].name);
    if (end - i > 1) runs.back() += "–" + std::to_string(parts[end - 1].index);
    i = end;
  }
  if (runs.size() > 6) {  // many of them say no more than a few
    runs[3] = "…";
    runs.erase(runs.begin() + 4, runs.end() - 2);
  }
  std::string out = runs[0];
  for (size_t i = 1; i < runs.size(); ++i) out += ", " + runs[i];
  return out + times;
}

}  // namespace lmc
