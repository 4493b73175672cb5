#include "passes/engine/pass_test.h"

#include <sstream>

#include "ir/files.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "passes/engine/manager.h"
#include "passes/pattern/lmpass.h"

namespace lmc {
namespace {

constexpr std::string_view kRun = "// RUN: ";
constexpr std::string_view kMarker = "// ---- ";

struct PassTest {
  std::string run;       // "fuse-qkv,quantize --set quantize.min_dim=64"
  std::string head;      // the file in front of the marker: comments and the graph
  std::string kind;      // "after", "unchanged", or "error: …"
  std::string expected;  // the graph behind it
};

PassTest parse_test(const std::string& path) {
  const std::string text = read_file(path);
  if (!text.starts_with(kRun)) throw Error(path + ": a test begins with '// RUN: PASS,…'");
  const size_t marker = text.find(kMarker);
  if (marker == std::string::npos)
    throw Error(path + ": has no expectation: '// ---- after', '// ---- unchanged' or '// ---- error: …'");
  const size_t end = std::min(text.find('\n', marker), text.size());
  PassTest out;
  out.run = text.substr(kRun.size(), text.find('\n') - kRun.size());
  out.head = text.substr(0, marker);
  out.kind = text.substr(marker + kMarker.size(), end - marker - kMarker.size());
  out.expected = end < text.size() ? text.substr(end + 1) : "";
  if (out.kind != "after" && out.kind != "unchanged" && !out.kind.starts_with("error: "))
    throw Error(path + ": expects '" + out.kind + "'; it may be after, unchanged, or error: TEXT");
  return out;
}

// The passes of a file, which are loaded on first use.
std::vector<std::string> loaded(const std::string& path) {
  std::vector<std::string> out;
  for (const FusionSpec& s : parse_lmpass(read_file(path), path)) out.push_back(s.name);
  if (!is_pass(out[0])) load_pass_files({path});
  return out;
}

PassOptions options_of(const std::string& run, const std::string& folder) {
  PassOptions o;
  o.repro_path.clear();
  std::istringstream words(run);
  std::string word;
  words >> word;
  std::istringstream names(word);
  o.only.emplace();
  for (std::string name; std::getline(names, name, ',');) {
    const bool file = name.ends_with(".lmpass");
    for (const std::string& pass : file ? loaded(folder + "/" + name) : std::vector<std::string>{name})
      o.only->push_back(pass);
  }
  while (words >> word) {
    if (word != "--set" || !(words >> word)) throw Error("RUN takes passes and --set PASS.KEY=VALUE");
    add_setting(o, word);
  }
  pipeline(o);  // Error for a pass there is not
  return o;
}

// "line 3: expected …, found …"
std::string first_difference(const std::string& expected, const std::string& found) {
  std::istringstream a(expected);
  std::istringstream b(found);
  for (int line = 1;; ++line) {
    std::string wanted;
    std::string got;
    const bool more = static_cast<bool>(std::getline(a, wanted));
    const bool more_found = static_cast<bool>(std::getline(b, got));
    if (!more && !more_found) return "";
    if (more == more_found && wanted == got) continue;
    return "line " + std::to_string(line) + " of the result: expected " +
           (more ? "'" + wanted + "'" : "its end") + ", found " + (more_found ? "'" + got + "'" : "its end");
  }
}

std::vector<std::string> run_error_test(const PassTest& test, const std::string& path,
                                        const PassOptions& options) {
  const std::string wanted = test.kind.substr(7);
  try {
    Graph g = parse_graph(test.head, path);
    run_passes(g, options);
  } catch (const Error& e) {
    const std::string what = e.what();
    if (what.find(wanted) != std::string::npos) return {};
    return {"expected an error with '" + wanted + "', found: " + what};
  }
  return {"expected an error with '" + wanted + "', and there was none"};
}

}  // namespace

std::vector<std::string> run_pass_test(const std::string& path, const PassTestOptions& how) {
  const PassTest test = parse_test(path);
  const PassOptions options = options_of(test.run, how.folder);
  if (test.kind.starts_with("error: ")) return run_error_test(test, path, options);

  std::vector<std::string> wrong;
  const Graph before = parse_graph(test.head, path);
  if (print_graph(parse_graph(print_graph(before))) != print_graph(before))
    wrong.emplace_back("the graph does not read back as it is printed");
  Graph g = before.clone();
  bool exact = true, caches = true;
  for (const PassReport& r : run_passes(g, options)) {
    exact = exact && (find_pass(r.pass).exact() || !r.changed);
    caches = caches && (find_pass(r.pass).compares_caches() || !r.changed);
  }
  verify(g);
  const std::string after = print_graph(g);
  Graph again = parse_graph(after);
  if (print_graph(again) != after) wrong.emplace_back("the result does not read back as it is printed");
  for (const PassReport& r : run_passes(again, options)) {
    if (r.changed) wrong.push_back(r.pass + " changes its own result when it runs again");
  }
  if (exact) {
    for (const CheckResult& c : NumericGate(before, nullptr).compare(before, g, caches)) {
      if (const std::string more = inexact(c); !more.empty())
        wrong.push_back("results changed: " + more + " (" + c.str() + ")");
    }
  }
  if (test.kind == "after" && how.bless) {
    write_file(path, test.head + std::string(kMarker) + "after\n" + after);
    return wrong;
  }
  const std::string difference =
      first_difference(test.kind == "unchanged" ? print_graph(before) : test.expected, after);
  if (!difference.empty()) wrong.push_back(difference);
  return wrong;
}

}  // namespace lmc
