#include "tools/graphs/diff_report.h"

#include <fmt/format.h>

#include <map>

#include "ir/op_def.h"
#include "ir/text.h"

namespace lmc {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kMarks[] = {"-", "+", "~"};
constexpr const char* kNames[] = {"removed", "added", "changed"};
constexpr const char* kColours[] = {"\033[31m", "\033[32m", "\033[33m"};

size_t index(ChangeKind k) { return static_cast<size_t>(k); }

// A change told without the names of values: they are numbered as they come.
class KeyWriter {
 public:
  KeyWriter(const Graph& before, const Graph& after, const GraphDiff& d, int64_t layer)
      : before_(before), after_(after), d_(d), layer_(layer) {}

  std::string change(const OpChange& c) {
    std::string out = kMarks[index(c.kind)];
    if (c.before.valid()) out += op(before_, c.before, false);
    if (c.after.valid()) out += op(after_, c.after, true);
    return out + "\n";
  }

 private:
  std::string op(const Graph& g, OpId id, bool after) {
    const Op& o = g.op(id);
    std::string out = " " + o.def->name + "|" + without_index(o.scope, layer_) + "|";
    for (ValueId v : o.operands) out += " " + value(g, v, after);
    for (const auto& [name, attr] : o.attrs) out += " " + name + "=" + attr_text(attr);
    for (ValueId v : o.results) out += " ->" + value(g, v, after);
    if (o.body) {
      for (OpId inner : topo_order(*o.body)) out += " " + o.body->op(inner).def->name;
    }
    return out;
  }

  std::string value(const Graph& g, ValueId v, bool after) {
    const Value& x = g.value(v);
    if (x.kind == ValueKind::weight) return "@" + without_index(x.name, layer_);
    if (x.kind == ValueKind::input) return "%" + without_index(x.name, layer_);
    const ValueId partner = after ? d_.value_to_before[v] : v;
    const std::pair<bool, ValueId> known = partner.valid() ? std::pair(false, partner) : std::pair(true, v);
    const auto it = number_.emplace(known, number_.size()).first;
    return std::to_string(it->second) + ":" + x.type.str();
  }

  const Graph& before_;
  const Graph& after_;
  const GraphDiff& d_;
  int64_t layer_;
  std::map<std::pair<bool, ValueId>, size_t> number_;
};

// print_op with `mark` before every line.
std::string marked(const std::string& op_text, const char* mark) {
  std::string out;
  size_t start = 0;
  while (start < op_text.size()) {
    const size_t end = op_text.find('\n', start);
    out += std::string(mark) + " " + op_text.substr(start, end - start) + "\n";
    start = end + 1;
  }
  return out;
}

std::string without_break(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

// What differs inside a changed group, indented.
std::string body_text(const Graph& before, const Graph& after, const GraphDiff& d) {
  std::string out;
  for (const std::string& note : d.notes) out += "      " + note + "\n";
  for (const OpChange& c : d.ops) {
    if (c.before.valid() && c.kind == ChangeKind::removed)
      out += "      " + marked(print_op(before, c.before), "-");
    if (c.after.valid()) out += "      " + marked(print_op(after, c.after), kMarks[index(c.kind)]);
    for (const std::string& note : c.notes) out += "          " + note + "\n";
  }
  return out;
}

}  // namespace

DiffReport::DiffReport(const Graph& before, const Graph& after)
    : before_(before), after_(after), diff_(diff_graphs(before, after)), parts_(changed_parts()) {}

std::vector<DiffReport::Part> DiffReport::changed_parts() const {
  std::map<OpId, const OpChange*> removed, other;
  for (const OpChange& c : diff_.ops)
    (c.after.valid() ? other : removed).emplace(c.after.valid() ? c.after : c.before, &c);
  const ReadingOrder places = reading_order(before_);
  const std::vector<GraphSection> old_sections = sections(before_, places);
  const std::vector<GraphSection> new_sections = sections(after_, order_like(diff_, places, after_));
  std::map<std::string, const GraphSection*> gone;
  for (const GraphSection& s : old_sections) gone.emplace(s.part.name, &s);
  std::vector<Part> out;
  const auto add = [&](const ScopePart& name, const std::vector<OpId>& before,
                       const std::vector<OpId>& after) {
    Part part{name, {}, ""};
    for (const DiffRow& row : side_by_side(diff_, before, after)) {
      if (const auto it = removed.find(row.before); it != removed.end()) part.changes.push_back(it->second);
      if (const auto it = other.find(row.after); it != other.end()) part.changes.push_back(it->second);
    }
    if (part.changes.empty()) return;
    part.key = key_of(part);
    out.push_back(std::move(part));
  };
  for (const GraphSection& s : new_sections) {
    const auto it = gone.find(s.part.name);
    add(s.part, it == gone.end() ? std::vector<OpId>() : it->second->ops, s.ops);
    if (it != gone.end()) gone.erase(it);
  }
  for (const GraphSection& s : old_sections) {
    if (gone.contains(s.part.name)) add(s.part, s.ops, {});
  }
  return out;
}

std::string DiffReport::key_of(const Part& part) const {
  KeyWriter writer(before_, after_, diff_, part.part.index);
  std::string out;
  for (const OpChange* c : part.changes) out += writer.change(*c);
  return out;
}

namespace {

template <class Part>
std::vector<std::vector<size_t>> parts_alike(const std::vector<Part>& parts) {
  std::vector<std::string> keys;
  for (const auto& p : parts) keys.push_back(p.key);
  return alike(keys);
}

template <class Part>
std::vector<ScopePart> names_of(const std::vector<Part>& parts, const std::vector<size_t>& which) {
  std::vector<ScopePart> out;
  for (size_t i : which) out.push_back(parts[i].part);
  return out;
}

}  // namespace

// "weight @layers.{}.a : f32[8] is gone" of 26 layers is one line.
std::vector<std::string> DiffReport::collapsed_notes() const {
  std::vector<std::string> stripped;
  for (const std::string& note : diff_.notes) {
    const size_t name = note.find_first_of("@%");
    const size_t end = name == std::string::npos ? name : note.find_first_of(": ", name + 1);
    const ScopePart part =
        end == std::string::npos ? ScopePart{} : part_of_scope(note.substr(name + 1, end - name - 1));
    stripped.push_back(part.index < 0 ? note
                                      : note.substr(0, name + 1) + part.series + ".{}" +
                                            note.substr(name + 1 + part.name.size()));
  }
  std::vector<std::string> out;
  for (const auto& which : alike(stripped)) {
    out.push_back(which.size() == 1 ? diff_.notes[which[0]]
                                    : stripped[which[0]] + " × " + std::to_string(which.size()));
  }
  return out;
}

std::string DiffReport::counts() const {
  size_t of[3] = {};
  for (const OpChange& c : diff_.ops) ++of[index(c.kind)];
  return fmt::format("{} removed, {} added, {} changed", of[0], of[1], of[2]);
}

std::string DiffReport::text(bool coloured) const {
  if (same()) return "";
  const auto paint = [&](const char* colour, const std::string& s) {
    return coloured ? colour + without_break(s) + "\033[0m\n" : s;
  };
  std::string out;
  for (const std::string& note : collapsed_notes()) out += paint(kColours[2], "~ " + note + "\n");
  for (const auto& which : parts_alike(parts_)) {
    const Part& shown = parts_[which[0]];
    out +=
        paint("\033[1m", (out.empty() ? "" : "\n") + sections_label(names_of(parts_, which)) +
                             (which.size() > 1 ? ", of which " + shown.part.name + " is shown" : "") + "\n");
    std::string scope = shown.part.name;
    for (const OpChange* c : shown.changes) {
      const bool removed = c->kind == ChangeKind::removed;
      const Graph& g = removed ? before_ : after_;
      const OpId id = removed ? c->before : c->after;
      if (g.op(id).scope != scope) {
        scope = g.op(id).scope;
        out += "  scope " + (scope.empty() ? "\"\"" : scope) + "\n";
      }
      out += paint(kColours[index(c->kind)], marked(print_op(g, id), kMarks[index(c->kind)]));
      for (const std::string& note : c->notes) out += "      " + note + "\n";
      if (c->body) out += body_text(*before_.op(c->before).body, *after_.op(c->after).body, *c->body);
    }
  }
  return out + "\n" + counts() + "\n";
}

Json DiffReport::json() const {
  Json parts = Json::array();
  for (const auto& which : parts_alike(parts_)) {
    Json names = Json::array();
    for (const ScopePart& p : names_of(parts_, which)) names.push_back(p.name);
    Json changes = Json::array();
    for (const OpChange* c : parts_[which[0]].changes) {
      Json j = {{"kind", kNames[index(c->kind)]}};
      if (c->before.valid()) j["before"] = without_break(print_op(before_, c->before));
      if (c->after.valid()) j["after"] = without_break(print_op(after_, c->after));
      j["scope"] = c->after.valid() ? after_.op(c->after).scope : before_.op(c->before).scope;
      if (!c->notes.empty()) j["notes"] = c->notes;
      changes.push_back(std::move(j));
    }
    parts.push_back(
        {{"label", sections_label(names_of(parts_, which))}, {"parts", names}, {"changes", changes}});
  }
  size_t of[3] = {};
  for (const OpChange& c : diff_.ops) ++of[index(c.kind)];
  return {{"same", same()},   {"removed", of[0]},     {"added", of[1]},
          {"changed", of[2]}, {"graph", diff_.notes}, {"changes", parts}};
}

}  // namespace lmc
