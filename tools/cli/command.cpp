#include "tools/cli/command.h"

#include <algorithm>

#include "tools/cli/console.h"

namespace lmc {
namespace {

std::vector<Command>& table() {
  static std::vector<Command> commands;
  return commands;
}

}  // namespace

RegisterCommand::RegisterCommand(Command command) { table().push_back(std::move(command)); }

std::vector<Command> all_commands() {
  std::vector<Command> out = table();
  for (Command& c : out) {
    c.setup = [setup = c.setup](Flags& flags) {
      auto action = setup(flags);
      flags.flag("-q,--quiet", silence_log, "on standard error nothing but what went wrong");
      return action;
    };
  }
  std::sort(out.begin(), out.end(), [](const Command& a, const Command& b) { return a.name < b.name; });
  return out;
}

std::vector<std::string> words_of(int argc, const char* const* argv) {
  std::vector<std::string> out(argv + std::min(argc, 1), argv + argc);
  for (size_t i = 0; i < out.size(); ++i) {
    if (out[i] != "--ab") continue;
    for (size_t side = i + 1; side < std::min(i + 3, out.size()); ++side) {
      if (out[side].starts_with("-")) out[side].insert(0, " ");  // now it is a value
    }
    i += 2;
  }
  return out;
}

}  // namespace lmc
