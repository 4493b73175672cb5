#include "tools/graphs/explore/tables.h"

#include <algorithm>
#include <optional>

#include "ir/block_format.h"
#include "ir/op_def.h"
#include "ir/text.h"
#include "tools/graphs/picture/picture.h"
#include "tools/measure/profile/report_json.h"

namespace lmc {
namespace {

using Json = nlohmann::ordered_json;

// The statements of a group's body. Names lose the numbers that made them unique in the whole graph.
Json body_json(const Graph& body) {
  Graph g = body.clone();
  const auto shorten = [&](ValueId v) {
    const std::string& name = g.value(v).name;
    const size_t at = name.find_last_not_of("0123456789");
    if (at != std::string::npos && at > 0 && at + 1 < name.size() && name[at] == '_')
      g.rename(v, name.substr(0, at));
  };
  for (ValueId v : g.inputs()) shorten(v);
  Json out = Json::array();
  for (OpId id : topo_order(g)) {
    for (ValueId r : g.op(id).results) shorten(r);
  }
  for (OpId id : topo_order(g)) {
    std::string line = print_op(g, id);
    line.pop_back();
    out.push_back(line);
  }
  return out;
}

}  // namespace

void ExploreTables::add_state(const Graph& g) {
  State s;
  s.graph = &g;
  std::optional<GraphDiff> d;
  if (states_.empty()) {
    s.places = reading_order(g);
  } else {
    d = diff_graphs(*states_.back().graph, g);
    s.places = order_like(*d, states_.back().places, g);
  }
  s.sections = sections(g, s.places);
  const std::vector<SectionForm> forms = section_forms(g, s.sections);
  for (size_t i = 0; i < forms.size(); ++i) s.parts.push_back(part_of(g, s.sections[i], forms[i]));
  state_json_.push_back({{"parts", s.parts}, {"groups", groups(s)}, {"totals", totals(g)}});
  if (d) diffs_.push_back(diff_json(states_.back(), s, *d));
  states_.push_back(std::move(s));
}

size_t ExploreTables::part_of(const Graph& g, const GraphSection& s, const SectionForm& form) {
  const auto [kind, new_kind] = kind_ids_.emplace(form.text, kind_ids_.size());
  if (new_kind) kinds_.push_back(kind_json(g, s, form));
  Json names = Json::array();
  for (ValueId v : form.values) names.push_back(g.value(v).name);
  Json part = {kind->second, s.part.name, s.part.index, names};
  const auto [it, fresh] = part_ids_.emplace(part.dump(), part_ids_.size());
  if (fresh) parts_.push_back(std::move(part));
  return it->second;
}

Json ExploreTables::kind_json(const Graph& g, const GraphSection& s, const SectionForm& form) {
  const SideTable<ValueId, char> constant = weight_only(g);
  const std::vector<OpPrice> prices = price_ops(g, s.ops, machine_);
  std::map<ValueId, size_t> number;
  Json types = Json::array();
  for (ValueId v : form.values) {
    number.emplace(v, number.size());
    types.push_back(g.type(v).str());
  }
  Json ops = Json::array();
  for (size_t i = 0; i < s.ops.size(); ++i) {
    const Op& op = g.op(s.ops[i]);
    Json operands = Json::array();
    Json results = Json::array();
    Json weights = Json::array();
    for (ValueId v : op.operands) {
      const Value& value = g.value(v);
      if (value.kind == ValueKind::weight) {
        operands.push_back("@" + without_index(value.name, s.part.index));
        weights.push_back(
            {value.type.str(), storage_bytes(value.type.dtype, value.type.elements(), value.type.last())});
      } else {
        operands.push_back(number.at(v));
      }
    }
    for (ValueId r : op.results) results.push_back(number.at(r));
    Json j = {{"op", op.def->name},
              {"in", operands},
              {"out", results},
              {"scope", without_index(op.scope, s.part.index)}};
    if (const std::string attrs = attrs_text(op); !attrs.empty()) j["attrs"] = attrs;
    if (!weights.empty()) j["weights"] = weights;
    if (constant[op.results[0]]) j["constant"] = true;
    if (op.body) j["body"] = body_json(*op.body);
    if (prices[i].weight_bytes > 0) j["wb"] = rounded(prices[i].weight_bytes);
    if (prices[i].activation_bytes > 0) j["ab"] = rounded(prices[i].activation_bytes);
    if (prices[i].flops > 0) j["fl"] = rounded(prices[i].flops);
    if (prices[i].seconds > 0) j["us"] = rounded(prices[i].seconds * 1e6);
    ops.push_back(std::move(j));
  }
  return {{"types", types}, {"ops", ops}, {"picture", picture_json(g, s, number)}};
}

Json ExploreTables::picture_json(const Graph& g, const GraphSection& s,
                                 const std::map<ValueId, size_t>& number) {
  const Picture p = picture_of(g, s.ops);
  Json boxes = Json::array();
  for (size_t i = 0; i < p.boxes.size(); ++i) {
    const LayoutNode& n = p.layout.nodes[i];
    const PictureBox& b = p.boxes[i];
    const auto op = std::find(s.ops.begin(), s.ops.end(), b.op);
    Json lines = Json::array();
    for (const std::string& line : b.lines) lines.push_back(without_index(line, s.part.index));
    boxes.push_back({b.op.valid() ? op - s.ops.begin() : -1, rounded(n.x), rounded(n.y), rounded(n.width),
                     rounded(n.height), box_class(g, b),
                     b.op.valid() ? Json(b.title) : Json(number.at(b.value)), lines});
  }
  Json edges = Json::array();
  for (const LayoutEdge& e : p.layout.edges) edges.push_back({e.from, e.to, e.path});
  return {{"width", rounded(p.layout.width)},
          {"height", rounded(p.layout.height)},
          {"boxes", boxes},
          {"edges", edges}};
}

Json ExploreTables::totals(const Graph& g) {
  const SideTable<ValueId, char> constant = weight_only(g);
  std::vector<OpId> ops;
  int64_t linears = 0;
  for (OpId id : g.ops()) {
    if (constant[g.op(id).results[0]]) continue;
    ops.push_back(id);
    linears += g.op(id).def->category == OpCategory::contraction;
    if (!g.op(id).body) continue;
    for (OpId inner : g.op(id).body->ops())
      linears += g.op(id).body->op(inner).def->category == OpCategory::contraction;
  }
  OpPrice sum;
  for (const OpPrice& p : price_ops(g, ops, machine_)) {
    sum.weight_bytes += p.weight_bytes;
    sum.activation_bytes += p.activation_bytes;
    sum.flops += p.flops;
  }
  Json out = {{"ops", ops.size()},
              {"linears", linears},
              {"weight_bytes", rounded(sum.weight_bytes)},
              {"activation_bytes", rounded(sum.activation_bytes)},
              {"flops", rounded(sum.flops)}};
  kernels_ = kernels_of(g, machine_, position_);
  if (kernels_.obstacle.empty()) {
    out["kernels"] = kernels_.stages;
    out["us"] = rounded(kernels_.step_seconds * 1e6);
  }
  return out;
}

Json ExploreTables::groups(const State& s) const {
  std::vector<std::string> keys;
  for (size_t part : s.parts) keys.push_back(parts_[part][0].dump());
  Json out = Json::array();
  for (const auto& which : alike(keys)) {
    std::vector<ScopePart> names;
    Json members = Json::array();
    for (size_t i : which) {
      names.push_back(s.sections[i].part);
      members.push_back({-1, s.parts[i]});
    }
    out.push_back({{"label", sections_label(names)}, {"members", members}});
  }
  return out;
}

// The two states' sections of one name, side by side.
struct ExploreTables::Pairing {
  ScopePart part;
  int64_t before = -1, after = -1;  // indices of parts
  size_t rows = 0;
};

// Marks of removed ops go by the ids of the old graph, all others by those of the new one.
size_t ExploreTables::rows_of(const GraphDiff& d, const std::vector<OpId>& before,
                              const std::vector<OpId>& after) {
  std::map<OpId, size_t> left, right;
  for (size_t i = 0; i < before.size(); ++i) left[before[i]] = i;
  for (size_t i = 0; i < after.size(); ++i) right[after[i]] = i;
  std::map<OpId, int> changed;
  for (const OpChange& c : d.ops) {
    if (c.kind == ChangeKind::changed) changed[c.after] = 3;
  }
  Json out = Json::array();
  for (const DiffRow& r : side_by_side(d, before, after)) {
    int mark = 0;
    if (!r.after.valid()) {
      mark = d.to_after[r.before].valid() ? 0 : 1;
    } else if (!d.to_before[r.after].valid()) {
      mark = 2;
    } else if (changed.contains(r.after)) {
      mark = 3;
    }
    out.push_back({r.before.valid() ? Json(left.at(r.before)) : Json(-1),
                   r.after.valid() ? Json(right.at(r.after)) : Json(-1), mark});
  }
  const auto [it, fresh] = row_ids_.emplace(out.dump(), row_ids_.size());
  if (fresh) rows_.push_back(std::move(out));
  return it->second;
}

std::vector<ExploreTables::Pairing> ExploreTables::pairings(const State& before, const State& after,
                                                            const GraphDiff& d) {
  std::map<std::string, size_t> old;
  for (size_t i = 0; i < before.sections.size(); ++i) old[before.sections[i].part.name] = i;
  std::vector<Pairing> out;
  for (size_t i = 0; i < after.sections.size(); ++i) {
    Pairing p{after.sections[i].part, -1, static_cast<int64_t>(after.parts[i]), 0};
    std::vector<OpId> left;
    if (const auto it = old.find(p.part.name); it != old.end()) {
      p.before = static_cast<int64_t>(before.parts[it->second]);
      left = before.sections[it->second].ops;
      old.erase(it);
    }
    p.rows = rows_of(d, left, after.sections[i].ops);
    out.push_back(std::move(p));
  }
  for (const auto& [name, i] : old) {
    const GraphSection& s = before.sections[i];
    out.push_back({s.part, static_cast<int64_t>(before.parts[i]), -1, rows_of(d, s.ops, {})});
  }
  return out;
}

Json ExploreTables::diff_json(const State& before, const State& after, const GraphDiff& d) {
  const std::vector<Pairing> all = pairings(before, after, d);
  std::vector<std::string> keys;
  const auto kind = [&](int64_t part) {
    return part < 0 ? "-" : parts_[static_cast<size_t>(part)][0].dump();
  };
  for (const Pairing& p : all)
    keys.push_back(kind(p.before) + " " + kind(p.after) + " " + std::to_string(p.rows));
  Json groups = Json::array();
  for (const auto& which : alike(keys)) {
    std::vector<ScopePart> names;
    Json members = Json::array();
    for (size_t i : which) {
      names.push_back(all[i].part);
      members.push_back({all[i].before, all[i].after});
    }
    groups.push_back({{"label", sections_label(names)}, {"rows", all[which[0]].rows}, {"members", members}});
  }
  int64_t counts[3] = {};
  for (const OpChange& c : d.ops) ++counts[static_cast<size_t>(c.kind)];
  return {{"counts", counts}, {"notes", d.notes}, {"groups", groups}};
}

void ExploreTables::finish(Json& page) {
  page["kinds"] = std::move(kinds_);
  page["parts"] = std::move(parts_);
  page["rows"] = std::move(rows_);
  page["states"] = std::move(state_json_);
  page["diffs"] = std::move(diffs_);
  Json of_part = Json::object();
  const State& last = states_.back();
  for (size_t i = 0; i < last.sections.size(); ++i) {
    Json kernels = Json::array();
    for (OpId id : last.sections[i].ops) kernels.push_back(kernels_.kernel[id]);
    of_part[std::to_string(last.parts[i])] = std::move(kernels);
  }
  Json predicted = Json::array();
  for (const double seconds : kernels_.seconds) predicted.push_back(rounded(seconds * 1e6));
  page["kernels"] = {{"labels", kernels_.labels},
                     {"calls", kernels_.calls},
                     {"predicted_us", std::move(predicted)},
                     {"of_part", of_part}};
  if (!kernels_.obstacle.empty()) page["kernels"]["obstacle"] = kernels_.obstacle;
}

}  // namespace lmc
