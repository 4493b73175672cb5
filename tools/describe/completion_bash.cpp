#include <fmt/format.h>

#include "models/language/builtin.h"
#include "tools/describe/completion.h"

namespace lmc {
namespace {

// What _lmc_complete below is told to complete.
std::string bash_kind(const OptionDescription& o) {
  switch (o.takes) {
    case Takes::choice:
      return fmt::format("words {}", fmt::join(o.choices, " "));
    case Takes::file:
      return "file";
    case Takes::folder:
      return "folder";
    case Takes::bundle:
      return "bundle";
    case Takes::model:
      return "model";
    case Takes::checkpoint:
      return "checkpoint";
    default:
      return "text";
  }
}

// "run) echo '…' ;;" for each command.
template <class Line>
std::string bash_cases(const ProgramDescription& p, const Line& line) {
  std::string out;
  for (const CommandDescription& c : p.commands) out += fmt::format("    {}) {} ;;\n", c.name, line(c));
  return out;
}

std::string names_of_options(const CommandDescription& c) {
  std::string out;
  for (const OptionDescription& o : c.options) out += fmt::format(" {}", fmt::join(o.names, " "));
  return out.substr(1);
}

// "run,-t | run,--threads) echo text ;;" for each option that wants a value.
std::string bash_values(const ProgramDescription& p) {
  std::string out;
  for (const CommandDescription& c : p.commands) {
    for (const OptionDescription& o : c.options) {
      if (o.takes == Takes::nothing) continue;
      std::string pattern;
      for (const std::string& n : o.names) pattern += (pattern.empty() ? "" : " | ") + c.name + "," + n;
      out += fmt::format("    {}) echo '{}' ;;\n", pattern, bash_kind(o));
    }
  }
  return out;
}

// Readline cuts words at '=', so that `--kv=f` comes as three.
constexpr const char* kBashFunctions = R"bash(
_lmc_complete() { # _lmc_complete KIND WORD: fills COMPREPLY
  local kind=${1%% *} words=${1#"${1%% *}"} word=$2
  case $kind in
    text) return ;;
    words) mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word"); return ;;
    file) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    folder) mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
    bundle)
      mapfile -t COMPREPLY < <(compgen -d -X '!*.lmc' -- "$word")
      [ ${#COMPREPLY[@]} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
    model)
      mapfile -t COMPREPLY < <(compgen -d -- "$word"; compgen -f -X '!*.yaml' -- "$word"
        compgen -f -X '!*.gguf' -- "$word"; compgen -f -X '!*.lmir' -- "$word"
        compgen -W "$(_lmc_models)" -- "$word") ;;
    checkpoint)
      mapfile -t COMPREPLY < <(compgen -d -- "$word"; compgen -f -X '!*.gguf' -- "$word"
        compgen -W 'random none' -- "$word") ;;
  esac
  compopt -o filenames 2>/dev/null
}

_lmc() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command='' kind='' i
  COMPREPLY=()
  if [ "$word" = = ]; then
    word=''
  elif [ "$before" = = ]; then
    before=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((i = 1; i < COMP_CWORD; ++i)); do
    [[ ${COMP_WORDS[i]} == -* ]] || { command=${COMP_WORDS[i]}; break; }
  done
  if [ -z "$command" ]; then
    [[ $word == -* ]] && i=$(_lmc_options lmc) || i=$(_lmc_commands)
    mapfile -t COMPREPLY < <(compgen -W "$i" -- "$word")
    return
  fi
  kind=$(_lmc_value "$command,$before")
  if [ -n "$kind" ]; then
    _lmc_complete "$kind" "$word"
  elif [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_lmc_options "$command")" -- "$word")
  else
    _lmc_complete "$(_lmc_argument "$command")" "$word"
  fi
}
complete -F _lmc lmc
)bash";

}  // namespace

std::string bash_completion(const ProgramDescription& p) {
  std::string commands;
  for (const CommandDescription& c : p.commands) commands += (commands.empty() ? "" : " ") + c.name;
  const std::string own = "    lmc) echo '" + names_of_options(p.program) + "' ;;\n";
  const auto argument = [](const CommandDescription& c) {
    return "echo '" + (c.positionals.empty() ? "text" : bash_kind(c.positionals[0])) + "'";
  };
  return "# Completion of lmc for bash, made by `lmc completion bash`.\n"
         "_lmc_commands() { echo '" +
         commands + "'; }\n" +
         fmt::format("_lmc_models() {{ echo '{}'; }}\n", fmt::join(builtin_names(), " ")) +
         "_lmc_options() { # _lmc_options COMMAND\n  case $1 in\n" + own +
         bash_cases(p, [](const CommandDescription& c) { return "echo '" + names_of_options(c) + "'"; }) +
         "  esac\n}\n_lmc_argument() { # _lmc_argument COMMAND: what it takes by place\n  case $1 in\n" +
         bash_cases(p, argument) +
         "  esac\n}\n_lmc_value() { # _lmc_value COMMAND,OPTION: what it takes, or nothing\n  case $1 in\n" +
         bash_values(p) + "  esac\n}\n" + kBashFunctions;
}

}  // namespace lmc
