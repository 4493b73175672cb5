// What the command line takes, as data: for what shells complete, and for the manual page.
#pragma once

#include <string>
#include <vector>

namespace lmc {

// What may be written for a value, as far as a shell can help.
enum class Takes { nothing, text, choice, file, folder, bundle, model, checkpoint };

struct OptionDescription {
  std::vector<std::string> names;  // "-t", "--threads"; of what is told by its place the one name
  std::string doc;
  std::string type;  // as the help has it: "INT", "FILE", "A B"; "" for a flag
  Takes takes = Takes::nothing;
  std::vector<std::string> choices;
  std::string limits;    // "1 - 1024", or ""
  std::string fallback;  // the value if it is not given, where the help shows one
  int values = 0;        // behind one name
  bool required = false;
  bool repeatable = false;
};

struct CommandDescription {
  std::string name;
  std::string doc;
  std::vector<OptionDescription> options;
  std::vector<OptionDescription> positionals;  // in their order
  std::string footer;
};

// The program's own options under its name, then every command; hidden options are left out.
struct ProgramDescription {
  CommandDescription program;
  std::vector<CommandDescription> commands;
};

ProgramDescription describe_program();

// The first words of `doc` that can stand alone, for a place of one line.
std::string summary(const std::string& doc);

}  // namespace lmc
