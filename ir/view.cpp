#include "ir/view.h"

#include <algorithm>
#include <charconv>

#include "ir/extract.h"
#include "ir/sections.h"
#include "ir/text.h"

namespace lmc {
namespace {

constexpr std::string_view kLayer = "layer:";

std::vector<std::string> form_texts(const Graph& g, const std::vector<GraphSection>& all) {
  std::vector<std::string> out;
  for (SectionForm& f : section_forms(g, all)) out.push_back(std::move(f.text));
  return out;
}

std::string label_of(const std::vector<GraphSection>& all, const std::vector<size_t>& which) {
  std::vector<ScopePart> parts;
  for (size_t s : which) parts.push_back(all[s].part);
  return sections_label(parts);
}

std::string resolved(const Graph& g, const std::string& view) {
  if (view != "auto") return view;
  for (OpId id : g.ops()) {
    if (part_of_scope(g.op(id).scope).index == 0) return "layer:0";
  }
  return "all";
}

bool in_view(const Op& op, const std::string& view) {
  if (view == "all" || view == "collapsed") return true;
  if (!view.starts_with(kLayer)) return scope_within(op.scope, view);
  int64_t wanted = -1;
  const char* end = view.data() + view.size();
  const auto r = std::from_chars(view.data() + kLayer.size(), end, wanted);
  if (r.ec != std::errc() || r.ptr != end || wanted < 0)
    throw Error("scope '" + view + "': layer: takes a number, such as layer:0");
  return part_of_scope(op.scope).index == wanted;
}

[[noreturn]] void fail_empty(const Graph& g, const std::string& view) {
  const std::vector<GraphSection> all = sections(g);
  std::string known;
  for (const auto& which : alike(form_texts(g, all))) {
    if (!all[which[0]].part.name.empty()) known += (known.empty() ? "" : ", ") + label_of(all, which);
  }
  throw Error("no op of the graph is in scope '" + view + "'; " +
              (known.empty() ? "it has no scopes" : "there are " + known));
}

// "// layers.0, and 21 like it: layers.0–4, 6–10 × 22; others: layers.5, 11 × 2"
std::string about_part(const Graph& g, const std::vector<OpId>& ops, const std::string& view) {
  const ScopePart part = part_of_scope(g.op(ops.front()).scope);
  std::string out = "// only " + (view.starts_with(kLayer) ? part.name : view);
  if (part.index < 0) return out + "\n";
  const std::vector<GraphSection> all = sections(g);
  std::string same, others;
  for (const auto& which : alike(form_texts(g, all))) {
    if (all[which[0]].part.series != part.series) continue;
    const bool here =
        std::any_of(which.begin(), which.end(), [&](size_t s) { return all[s].part.name == part.name; });
    if (here) {
      same = which.size() > 1 ? label_of(all, which) : "";
    } else {
      others += (others.empty() ? "" : "; ") + label_of(all, which);
    }
  }
  if (!same.empty()) out += "; alike are " + same;
  if (!others.empty()) out += "; others: " + others;
  return out + "\n";
}

std::string collapsed(const Graph& g) {
  const std::vector<GraphSection> all = sections(g);
  std::string out = "// graph @" + g.name +
                    ", layers that are alike shown once: for people, it does not read back "
                    "(--dump-scope=all does)\n";
  for (const auto& which : alike(form_texts(g, all))) {
    const GraphSection& shown = all[which[0]];
    out += "\n// " + label_of(all, which) +
           (which.size() > 1 ? ", of which " + shown.part.name + " is shown" : "") + "\n";
    std::string scope;
    for (OpId id : shown.ops) {
      if (g.op(id).scope != scope) {
        scope = g.op(id).scope;
        out += "scope " + (scope.empty() ? "\"\"" : scope) + "\n";
      }
      out += print_op(g, id);
    }
  }
  out += "\nreturn";
  for (size_t i = 0; i < g.outputs().size(); ++i) {
    if (i == 4 && g.outputs().size() > 6) {
      out += ", … " + std::to_string(g.outputs().size() - i) + " more";
      break;
    }
    out += (i ? ", %" : " %") + g.value(g.outputs()[i]).name;
  }
  return out + "\n";
}

}  // namespace

std::vector<OpId> ops_in_view(const Graph& g, const std::string& view) {
  const std::string wanted = resolved(g, view);
  std::vector<OpId> out;
  for (OpId id : g.ops()) {
    if (in_view(g.op(id), wanted)) out.push_back(id);
  }
  if (out.empty() && wanted != "all" && wanted != "collapsed") fail_empty(g, wanted);
  return in_reading_order(g, out, reading_order(g));
}

std::string view_text(const Graph& g, const std::string& view) {
  const std::string wanted = resolved(g, view);
  if (wanted == "all") return print_graph(g);
  if (wanted == "collapsed") return collapsed(g);
  const std::vector<OpId> ops = ops_in_view(g, wanted);
  return about_part(g, ops, wanted) + print_graph(extract(g, ops).graph);
}

}  // namespace lmc
