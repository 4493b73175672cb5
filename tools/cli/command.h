// Subcommands register themselves: one file under tools/commands each, no list to edit.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tools/cli/flags.h"

namespace lmc {

inline constexpr const char* kProgramDoc =
    "compiles language models to machine code for this CPU, and runs them";

struct Command {
  std::string name;
  std::string doc;
  // Adds options to `flags` and returns what to run once they are parsed.
  std::function<std::function<void()>(Flags& flags)> setup;
};

struct RegisterCommand {
  explicit RegisterCommand(Command command);
};

std::vector<Command> all_commands();  // by name

// The words of the command line, without the program's name. What --ab compares may be flags itself, and must
// not be taken for flags of this command: `lmc bench --ab "--quant none" "--quant q8_0"`.
std::vector<std::string> words_of(int argc, const char* const* argv);

}  // namespace lmc
