// Passes from outside: text files and plugins named on the command line.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace lmc {

struct PassFiles {
  std::vector<std::string> texts, plugins;

  void add_to(CLI::App& app);
  void load() const;  // once; Error at the first that cannot be
};

}  // namespace lmc
