#include "tools/graphs/explain_pass.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "ir/text.h"
#include "passes/engine/manager.h"
#include "tools/graphs/pass_examples.h"

namespace lmc {
namespace {

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& n : names) out += (out.empty() ? "" : ", ") + n;
  return out;
}

// "5 of 8, behind quantize (it says after), in front of fuse-down-act (it says before), …"
std::string place(const Pass& pass) {
  const std::vector<const Pass*> order = ordered_passes();
  const auto at = std::find(order.begin(), order.end(), &pass);
  std::vector<std::string> reasons;
  if (!pass.after().empty()) reasons.push_back("after " + joined(pass.after()) + " (as it says)");
  if (!pass.before().empty()) reasons.push_back("before " + joined(pass.before()) + " (as it says)");
  for (const Pass* p : order) {
    const std::vector<std::string> before = p->before();
    const std::vector<std::string> after = p->after();
    if (std::find(before.begin(), before.end(), pass.name()) != before.end())
      reasons.push_back("after " + p->name() + " (as that says)");
    if (std::find(after.begin(), after.end(), pass.name()) != after.end())
      reasons.push_back("before " + p->name() + " (as that says)");
  }
  return fmt::format("{} of {}{}{}", at - order.begin() + 1, order.size(), reasons.empty() ? "" : ": ",
                     joined(reasons));
}

// The graph before and after the pass, or nothing if it does not fire.
struct Shown {
  std::string from, before, after;
};

// What the first line of a test says to run before `pass`, and its settings:
// "// RUN: fuse-qkv,quantize --set …".
PassOptions options_of(const std::string& run_line, const Pass& pass) {
  std::istringstream line(run_line);
  std::string word;
  line >> word >> word >> word;  // "//", "RUN:", the passes
  PassOptions out;
  out.only.emplace();
  std::istringstream names(word);
  for (std::string name; std::getline(names, name, ',') && name != pass.name();) {
    if (!name.ends_with(".lmpass")) out.only->push_back(name);
  }
  while (line >> word >> word) add_setting(out, word);  // "--set", the setting
  return out;
}

// `run_line`: of a test that prepares the graph for this very pass, or "".
std::optional<Shown> show_on(const Pass& pass, const std::string& graph, const std::string& from,
                             const std::string& run_line) {
  try {
    PassOptions options = options_of(run_line, pass);
    Graph g = parse_graph(graph);
    options.repro_path.clear();
    if (!options.only->empty()) run_passes(g, options);
    Shown out{from, print_graph(g), ""};
    options.only = std::vector<std::string>{pass.name()};
    if (!run_passes(g, options).at(0).changed) return std::nullopt;
    out.after = print_graph(g);
    return out;
  } catch (const Error&) {
    return std::nullopt;  // a test of an error, or a graph that is no matter of this pass
  }
}

std::optional<Shown> example_of(const Pass& pass) {
  if (!pass.example().empty()) {
    if (auto shown = show_on(pass, pass.example(), "its own example", "")) return shown;
  }
  std::vector<PassExample> graphs = pass_examples();
  std::string own = pass.name();
  std::replace(own.begin(), own.end(), '-', '_');
  std::stable_sort(graphs.begin(), graphs.end(), [&](const PassExample& a, const PassExample& b) {
    return (a.name == own) > (b.name == own);
  });
  for (const PassExample& e : graphs) {
    const std::string graph = e.text.substr(0, e.text.find("// ---- "));
    const std::string run_line = e.name == own ? e.text.substr(0, e.text.find('\n')) : "";
    if (auto shown = show_on(pass, graph, "tests/passes/" + e.name + ".lmir", run_line)) return shown;
  }
  return std::nullopt;
}

}  // namespace

std::string explain_pass(const Pass& pass) {
  std::string out = fmt::format("{}: {}\n", pass.name(), pass.doc());
  if (const std::string origin = origin_flags(pass.name()); !origin.empty()) out += "from: " + origin + "\n";
  out += "order: " + place(pass) + "\n";
  out +=
      pass.exact() ? "exact: results change by no more than rounding\n" : "not exact: it states its error\n";
  for (const PassSetting& s : pass.settings())
    out += fmt::format("setting: --set {}.{}=…: {}\n", pass.name(), s.key, s.doc);
  if (const std::string text = pass.text(); !text.empty()) {
    out += "\nas text (.lmpass):\n\n" + text;
  } else {
    out += "\nno pattern pass: see its file in passes/\n";
  }
  if (const auto shown = example_of(pass)) {
    out +=
        fmt::format("\nexample ({}), before:\n\n{}\nafter:\n\n{}", shown->from, shown->before, shown->after);
  }
  return out;
}

}  // namespace lmc
