#include "tools/graphs/picture/picture.h"

#include <algorithm>
#include <map>
#include <set>

#include "ir/op_def.h"

namespace lmc {
namespace {

// The page and svg_text use fonts about as wide.
constexpr double kTitleWidth = 7.2, kLineWidth = 6.1, kTitleHeight = 17, kLineHeight = 14, kPadding = 9;

class Drawer {
 public:
  Drawer(const Graph& g, const std::vector<OpId>& ops) : g_(g), ops_(ops), constant_(weight_only(g)) {}

  Picture run() {
    std::set<OpId> inside;
    for (OpId id : ops_) {
      if (!constant_[g_.op(id).results[0]]) inside.insert(id);
    }
    for (OpId id : ops_) {
      if (inside.contains(id)) box(g_.op(id), id);
    }
    for (const auto& [id, to] : boxes_) {
      std::set<ValueId> drawn;
      for (ValueId v : g_.op(id).operands) {
        if (constant_[v] || !drawn.insert(v).second) continue;
        edge(g_.def_op(v) && inside.contains(g_.value(v).def) ? boxes_.at(g_.value(v).def) : input(v), to, v);
      }
    }
    for (const auto& [id, from] : boxes_) {
      for (ValueId r : g_.op(id).results) {
        const auto& uses = g_.value(r).uses;
        const bool read_outside =
            std::any_of(uses.begin(), uses.end(), [&](const Use& u) { return !inside.contains(u.op); });
        if (read_outside || g_.is_output(r)) edge(from, pill(r, false), r);
      }
    }
    place(p_.layout);
    return std::move(p_);
  }

 private:
  void box(const Op& op, OpId id) {
    PictureBox b{id, {}, op.def->name, {}};
    for (const char* named : {"role", "name"}) {
      const auto it = op.attrs.find(named);
      if (it != op.attrs.end() && attr_kind(it->second) == AttrKind::text &&
          it->second != Attr(std::string()))
        b.title += " · " + std::get<std::string>(it->second);
    }
    if (op.body) b.lines.push_back(body_ops(*op.body));
    for (ValueId v : op.operands) {
      if (constant_[v]) b.lines.push_back(weight_line(v));
    }
    std::string types;
    for (ValueId r : op.results) types += (types.empty() ? "" : ", ") + g_.type(r).str();
    b.lines.push_back("→ " + types);
    boxes_[id] = add(std::move(b), false);
  }

  static std::string body_ops(const Graph& body) {
    std::string out;
    for (OpId id : topo_order(body)) out += (out.empty() ? "" : " · ") + body.op(id).def->name;
    return out;
  }

  // "@q_proj.weight bf16[1024,1152]": the last words of the name suffice in a picture.
  std::string weight_line(ValueId v) const {
    const std::vector<std::string> names = weights_behind(v);
    std::string out = names.size() > 1 ? std::to_string(names.size()) + " weights" : "";
    if (names.size() == 1) {
      size_t at = names[0].size();
      for (int parts = 0; parts < 2 && at != std::string::npos && at > 0; ++parts)
        at = names[0].rfind('.', at - 1);
      out = "@" + (at == std::string::npos || at == 0 ? names[0] : names[0].substr(at + 1));
    }
    return out + " " + g_.type(v).str();
  }

  std::vector<std::string> weights_behind(ValueId v) const {
    std::vector<std::string> names;
    std::set<ValueId> seen{v};
    std::vector<ValueId> pending{v};
    while (!pending.empty()) {
      const ValueId at = pending.back();
      pending.pop_back();
      const Op* op = g_.def_op(at);
      if (!op) names.push_back(g_.value(at).name);
      if (!op) continue;
      for (auto o = op->operands.rbegin(); o != op->operands.rend(); ++o) {
        if (seen.insert(*o).second) pending.push_back(*o);
      }
    }
    return names;
  }

  size_t input(ValueId v) {
    const auto it = inputs_.find(v);
    if (it != inputs_.end()) return it->second;
    return inputs_[v] = pill(v, true);
  }

  size_t pill(ValueId v, bool source) {
    return add({{}, v, "%" + g_.value(v).name, {g_.type(v).str()}}, source);
  }

  size_t add(PictureBox b, bool source) {
    double width = kTitleWidth * static_cast<double>(letters(b.title));
    for (const std::string& line : b.lines)
      width = std::max(width, kLineWidth * static_cast<double>(letters(line)));
    LayoutNode n;
    n.width = width + 2 * kPadding;
    n.height = kTitleHeight + kLineHeight * static_cast<double>(b.lines.size()) + 6;
    n.source = source;
    p_.layout.nodes.push_back(n);
    p_.boxes.push_back(std::move(b));
    return p_.boxes.size() - 1;
  }

  static size_t letters(const std::string& utf8) {
    return static_cast<size_t>(
        std::count_if(utf8.begin(), utf8.end(), [](char c) { return (c & 0xC0) != 0x80; }));
  }

  void edge(size_t from, size_t to, ValueId v) {
    p_.layout.edges.push_back({from, to, ""});
    p_.edge_types.push_back("%" + g_.value(v).name + " " + g_.type(v).str());
  }

  const Graph& g_;
  const std::vector<OpId>& ops_;
  SideTable<ValueId, char> constant_;
  std::map<OpId, size_t> boxes_;
  std::map<ValueId, size_t> inputs_;
  Picture p_;
};

std::string escaped(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else {
      out += c;
    }
  }
  return out;
}

std::string number(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", x);
  return text;
}

constexpr const char* kStyle = R"(
  text { font: 11px 'DejaVu Sans', Verdana, sans-serif; fill: #475569; text-anchor: middle }
  .title { font-weight: 600; font-size: 12px; fill: #0f172a }
  .box { fill: #f8fafc; stroke: #94a3b8 }
  .contraction { fill: #eff6ff; stroke: #3b82f6 }
  .attention { fill: #f0fdf4; stroke: #22a35a }
  .group { fill: #fff7ed; stroke: #ea8a1c }
  .pill { fill: none; stroke: #cbd5e1 }
  path { fill: none; stroke: #94a3b8; stroke-width: 1.3; marker-end: url(#tip) }
  marker path { fill: #94a3b8; stroke: none }
  @media (prefers-color-scheme: dark) {
    svg { background: #0f172a }
    text { fill: #a8b3c4 } .title { fill: #e2e8f0 }
    .box { fill: #1e293b; stroke: #64748b } .contraction { fill: #172a4d } .attention { fill: #12291c }
    .group { fill: #33230f } .pill { stroke: #475569 } path { stroke: #64748b }
  }
)";

}  // namespace

Picture picture_of(const Graph& g, const std::vector<OpId>& ops) { return Drawer(g, ops).run(); }

const char* box_class(const Graph& g, const PictureBox& b) {
  if (!b.op.valid()) return "pill";
  switch (g.op(b.op).def->category) {
    case OpCategory::contraction:
      return "box contraction";
    case OpCategory::attention:
      return "box attention";
    case OpCategory::group:
      return "box group";
    default:
      return "box";
  }
}

std::string svg_text(const Graph& g, const Picture& p) {
  const Layout& l = p.layout;
  std::string out =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + number(l.width) + "\" height=\"" +
      number(l.height) + "\" viewBox=\"0 0 " + number(l.width) + " " + number(l.height) + "\">\n<style>" +
      kStyle +
      "</style>\n<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" "
      "markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0L8 4L0 8Z\"/></marker></defs>\n";
  for (size_t e = 0; e < l.edges.size(); ++e) {
    out += "<path d=\"" + l.edges[e].path + "\"><title>" + escaped(p.edge_types[e]) + "</title></path>\n";
  }
  for (size_t i = 0; i < p.boxes.size(); ++i) {
    const LayoutNode& n = l.nodes[i];
    const PictureBox& b = p.boxes[i];
    out += "<rect class=\"" + std::string(box_class(g, b)) + "\" x=\"" + number(n.x) + "\" y=\"" +
           number(n.y) + "\" width=\"" + number(n.width) + "\" height=\"" + number(n.height) + "\" rx=\"" +
           (b.op.valid() ? "5" : "14") + "\"/>\n";
    double y = n.y + kTitleHeight;
    out += "<text class=\"title\" x=\"" + number(n.x + n.width / 2) + "\" y=\"" + number(y) + "\">" +
           escaped(b.title) + "</text>\n";
    for (const std::string& line : b.lines) {
      y += kLineHeight;
      out += "<text x=\"" + number(n.x + n.width / 2) + "\" y=\"" + number(y) + "\">" + escaped(line) +
             "</text>\n";
    }
  }
  return out + "</svg>\n";
}

}  // namespace lmc
