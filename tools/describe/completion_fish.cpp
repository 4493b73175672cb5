#include <fmt/format.h>

#include "models/language/builtin.h"
#include "tools/describe/completion.h"

namespace lmc {
namespace {

std::string fish_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

// What fish is told of a value: -x takes it and offers nothing else than -a, -rF offers files as well.
std::string fish_value(const OptionDescription& o) {
  switch (o.takes) {
    case Takes::nothing:
      return "";
    case Takes::choice:
      return fmt::format(" -x -a '{}'", fmt::join(o.choices, " "));
    case Takes::file:
      return " -rF";
    case Takes::folder:
      return " -x -a '(__fish_complete_directories)'";
    case Takes::bundle:
      return " -x -a '(__lmc_bundles)'";
    case Takes::model:
      return fmt::format(" -rF -a '{}'", fmt::join(builtin_names(), " "));
    case Takes::checkpoint:
      return " -rF -a 'random none'";
    case Takes::text:
      return " -x";
  }
  return "";
}

std::string fish_option(const OptionDescription& o) {
  std::string out;
  for (const std::string& n : o.names)
    out += n.starts_with("--") ? " -l " + n.substr(2) : " -s " + n.substr(1);
  return out + fish_value(o) + " -d " + fish_quoted(summary(o.doc)) + "\n";
}

constexpr const char* kFishFunctions = R"fish(
function __lmc_command # __lmc_command NAME: is that the command? Without a name: is there none yet?
    set -l words (commandline -opc)
    set -e words[1]
    for word in $words
        string match -q -- '-*' $word; and continue
        test "$word" = "$argv[1]"
        return
    end
    test -z "$argv[1]"
end

function __lmc_bundles # folders, those that are bundles first
    set -l word (commandline -ct)
    set -l folders (__fish_complete_directories $word)
    string match -e '.lmc/' -- $folders; or printf '%s\n' $folders
end
)fish";

}  // namespace

std::string fish_completion(const ProgramDescription& p) {
  std::string out = "# Completion of lmc for fish, made by `lmc completion fish`.\n";
  out += kFishFunctions;
  out += "\ncomplete -c lmc -f\n";
  for (const OptionDescription& o : p.program.options)
    out += "complete -c lmc -n __lmc_command" + fish_option(o);
  for (const CommandDescription& c : p.commands) {
    out +=
        fmt::format("\ncomplete -c lmc -n __lmc_command -a {} -d {}\n", c.name, fish_quoted(summary(c.doc)));
    const std::string here = fmt::format("complete -c lmc -n '__lmc_command {}'", c.name);
    for (const OptionDescription& o : c.options) out += here + fish_option(o);
    if (c.positionals.empty() || c.positionals[0].takes == Takes::text) continue;
    out += here + (c.positionals[0].takes == Takes::file ? " -F" : fish_value(c.positionals[0])) + "\n";
  }
  return out;
}

}  // namespace lmc
