#include "tools/command.h"

#include <algorithm>

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
  std::sort(out.begin(), out.end(), [](const Command& a, const Command& b) { return a.name < b.name; });
  return out;
}

}  // namespace lmc
