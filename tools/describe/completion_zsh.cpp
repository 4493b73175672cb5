#include <fmt/format.h>

#include "models/language/builtin.h"
#include "tools/describe/completion.h"

namespace lmc {
namespace {

// `text` inside single quotes, where each of `special` means itself.
std::string zsh_quoted(const std::string& text, const std::string& special) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      if (special.find(c) != special.npos) out += '\\';
      out += c;
    }
  }
  return out;
}

std::string zsh_action(const OptionDescription& o) {
  switch (o.takes) {
    case Takes::choice:
      return fmt::format("({})", fmt::join(o.choices, " "));
    case Takes::file:
      return "_files";
    case Takes::folder:
      return "_files -/";
    case Takes::bundle:
      return "_lmc_bundles";
    case Takes::model:
      return "_lmc_models";
    case Takes::checkpoint:
      return "_lmc_checkpoints";
    default:
      return "";
  }
}

// A line of _arguments: '(-t --threads)'{-t+,--threads=}'[threads]:INT:'
std::string zsh_option(const OptionDescription& o) {
  std::vector<std::string> names;
  for (const std::string& n : o.names) {
    names.push_back(n + (o.takes == Takes::nothing ? "" : n.starts_with("--") ? "=" : "+"));
  }
  std::string value;
  for (int i = 0; i < o.values; ++i) {
    value += ":" + zsh_quoted(o.type, ":") + ":" + zsh_action(o);
  }
  const std::string front = o.repeatable         ? "'*'"
                            : o.names.size() > 1 ? fmt::format("'({})'", fmt::join(o.names, " "))
                                                 : "";
  const std::string name = names.size() > 1 ? fmt::format("{{{}}}", fmt::join(names, ",")) : names[0];
  return fmt::format("{}{}'[{}]{}'", front, name, zsh_quoted(summary(o.doc), "[]\\"), value);
}

std::string zsh_positional(const OptionDescription& o, size_t place) {
  const std::string where = o.repeatable ? "*" : std::to_string(place);
  const std::string optional = o.required || o.repeatable ? ":" : "::";
  return fmt::format("'{}{}{}:{}'", where, optional, zsh_quoted(summary(o.doc), ":\\"), zsh_action(o));
}

std::string zsh_case(const CommandDescription& c) {
  std::string out = fmt::format("        {})\n          _arguments -s -S", c.name);
  for (const OptionDescription& o : c.options) out += " \\\n            " + zsh_option(o);
  for (size_t i = 0; i < c.positionals.size(); ++i)
    out += " \\\n            " + zsh_positional(c.positionals[i], i + 1);
  return out + "\n          ;;\n";
}

constexpr const char* kZshFunctions = R"zsh(
_lmc_bundles() { _files -/ -g '*.lmc(-/)' }

_lmc_checkpoints() {
  local ret=1
  compadd "$@" -- random none && ret=0
  _files -g '*.gguf' && ret=0
  return ret
}

_lmc() {
  local curcontext=$curcontext ret=1
  local -a state line
  typeset -A opt_args
)zsh";

}  // namespace

std::string zsh_completion(const ProgramDescription& p) {
  std::string out = "#compdef lmc\n# Completion of lmc for zsh, made by `lmc completion zsh`.\n\n";
  out += "_lmc_commands() {\n  local -a commands=(\n";
  for (const CommandDescription& c : p.commands)
    out += fmt::format("    '{}:{}'\n", c.name, zsh_quoted(summary(c.doc), ":\\"));
  out += "  )\n  _describe -t commands command commands\n}\n\n_lmc_models() {\n  local ret=1\n";
  out += fmt::format("  compadd \"$@\" -- {} && ret=0\n", fmt::join(builtin_names(), " "));
  out += "  _files -g '*.(yaml|gguf|lmir)' && ret=0\n  return ret\n}\n";
  out += kZshFunctions;
  out += "  _arguments -C";
  for (const OptionDescription& o : p.program.options) out += " \\\n    " + zsh_option(o);
  out += " \\\n    '1:command:_lmc_commands' '*::argument:->argument' && ret=0\n";
  out += "  case $state in\n    argument)\n      case $words[1] in\n";
  for (const CommandDescription& c : p.commands) out += zsh_case(c);
  out += "      esac && ret=0\n      ;;\n  esac\n  return ret\n}\n\n";
  // Read as a function when compinit has found the file, as a script by `source`.
  return out + "if [ \"$funcstack[1]\" = _lmc ]; then _lmc \"$@\"; else compdef _lmc lmc; fi\n";
}

}  // namespace lmc
