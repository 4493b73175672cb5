#include "tools/describe/description.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>

#include "ir/pass.h"
#include "tools/cli/command.h"

namespace lmc {
namespace {

Takes takes_by_type(const std::string& word) {
  static const std::map<std::string, Takes> kinds = {
      {"FILE", Takes::file},     {"PATH(existing)", Takes::file}, {"FOLDER", Takes::folder},
      {"BUNDLE", Takes::bundle}, {"MODEL", Takes::model},         {"CHECKPOINT", Takes::checkpoint}};
  const auto it = kinds.find(word);
  return it == kinds.end() ? Takes::text : it->second;
}

// `text` without what stands around it, or "" if that is something else.
std::string between(const std::string& text, const std::string& before, const std::string& after) {
  const size_t start = text.find(before);
  if (start == text.npos || !text.ends_with(after)) return "";
  return text.substr(start + before.size(), text.size() - after.size() - start - before.size());
}

// CLI11 joins the type and the name of each check with colons: "INT:INT in [1 - 1024]", "TEXT:{f16,f32}",
// "TEXT:FILE", "TEXT:RULES".
void read_type(const std::string& full, OptionDescription& out) {
  const size_t colon = full.find(':');
  out.type = full.substr(0, colon);
  out.takes = takes_by_type(out.type);
  if (out.type == "PASS") {
    out.takes = Takes::choice;
    for (const Pass* p : ordered_passes()) out.choices.push_back(p->name());
  }
  if (colon == full.npos) return;
  const std::string check = full.substr(colon + 1);
  out.limits = between(check, " in [", "]");
  if (const std::string words = between(check, "{", "}"); !words.empty()) {
    out.takes = Takes::choice;
    out.choices = CLI::detail::split(words, ',');
  } else if (out.takes == Takes::text && out.type == "TEXT") {
    out.takes = takes_by_type(check);
    out.type = out.takes == Takes::file ? "FILE" : check;
  }
}

OptionDescription described(const CLI::Option& o) {
  OptionDescription out;
  for (const std::string& n : o.get_snames()) out.names.push_back("-" + n);
  for (const std::string& n : o.get_lnames()) out.names.push_back("--" + n);
  if (out.names.empty()) out.names.push_back(o.get_name(true));
  out.doc = o.get_description();
  out.required = o.get_required();
  out.fallback = o.get_default_str();
  if (o.get_items_expected_max() == 0) return out;
  read_type(o.get_type_name(), out);
  // Of a list that is not told how many, CLI11 says a very large number.
  const bool counted = o.get_expected_max() < CLI::detail::expected_max_vector_size;
  out.values = counted ? o.get_expected_max() : 1;
  out.repeatable = !counted;
  return out;
}

CommandDescription described(const CLI::App& app) {
  CommandDescription out{app.get_name(), app.get_description(), {}, {}, app.get_footer()};
  for (const CLI::Option* o : app.get_options()) {
    if (o->get_group().empty()) continue;  // hidden
    (o->get_positional() ? out.positionals : out.options).push_back(described(*o));
  }
  return out;
}

}  // namespace

ProgramDescription describe_program() {
  CLI::App app(kProgramDoc, "lmc");
  app.set_version_flag("--version", std::string());
  ProgramDescription out{described(app), {}};
  for (const Command& c : all_commands()) {
    CLI::App* sub = app.add_subcommand(c.name, c.doc);
    Flags flags(*sub);
    const auto action = c.setup(flags);  // keeps the variables that the options write to
    out.commands.push_back(described(*sub));
  }
  return out;
}

std::string summary(const std::string& doc) {
  constexpr size_t kEnough = 76, kLeast = 12;
  if (doc.size() <= kEnough) return doc;
  size_t end = doc.npos;
  for (const char* mark : {"; ", ": ", " ("}) end = std::min(end, doc.find(mark, kLeast));
  if (end <= kEnough) return doc.substr(0, end);
  end = doc.rfind(", ", kEnough);
  if (end != doc.npos && end >= kLeast) return doc.substr(0, end);
  return doc.substr(0, doc.rfind(' ', kEnough)) + " …";
}

}  // namespace lmc
