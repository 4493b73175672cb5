// A pattern pass printed as an .lmpass file.
#include <algorithm>
#include <sstream>

#include "passes/pattern/lmpass.h"

namespace lmc {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    line.erase(line.find_last_not_of(" \t\r") + 1);
    out.push_back(line);
  }
  return out;
}

// The lines two deep, however deep they stood.
std::string block(const std::string& text) {
  std::vector<std::string> lines = lines_of(text);
  size_t indent = std::string::npos;
  for (size_t i = 0; i < lines.size(); ++i) {
    // What stands behind the opening brace on its line has lost its indent.
    if (!lines[i].empty() && i > 0) indent = std::min(indent, lines[i].find_first_not_of(" \t"));
  }
  std::string out = "{\n";
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    const size_t own = lines[i].find_first_not_of(" \t");
    out += "  " + lines[i].substr(i == 0 ? own : std::min(own, indent)) + "\n";
  }
  return out + "}\n";
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

void add_names(std::string& out, const std::string& word, const std::vector<FusionSpec::Text>& names) {
  for (size_t i = 0; i < names.size(); ++i) out += (i == 0 ? word + " " : ", ") + names[i].text;
  if (!names.empty()) out += "\n";
}

}  // namespace

std::string lmpass_text(const FusionSpec& spec) {
  std::string out = "pass " + spec.name + " " + quoted(spec.doc) + "\n";
  add_names(out, "after", spec.after);
  add_names(out, "before", spec.before);
  add_names(out, "rival", spec.rivals);
  if (!spec.summary.empty()) out += "summary " + quoted(spec.summary) + "\n";
  if (!spec.exact) out += spec.caches ? "approximate\n" : "approximate logits\n";
  for (const auto& s : spec.settings) {
    out += "setting " + s.key + " = ";
    for (size_t i = 0; i < s.choices.size(); ++i) out += (i ? " | " : "") + s.choices[i];
    out += " " + quoted(s.doc) + "\n";
  }
  for (const auto& a : spec.alternatives) {
    out += "\nmatch " + block(a.pattern.text);
    if (!a.variant.empty()) out += "variant " + a.variant + "\n";
    for (const auto& g : a.guards) {
      out += g.holds ? "// and, in C++: " + g.reason + "\n"
                     : "when " + quoted(g.reason) + ": " + g.condition.text + "\n";
    }
    if (a.group) {
      out += a.label.empty() ? "group\n" : "group " + quoted(a.label) + "\n";
    } else {
      out += "rewrite " + block(a.replacement.text);
    }
  }
  return out;
}

}  // namespace lmc
