// Passes from outside: text files and plugins named on the command line.
#pragma once

#include <string>
#include <vector>

#include "tools/cli/flags.h"

namespace lmc {

struct PassFiles {
  std::vector<std::string> texts, plugins;

  void add_to(Flags& flags);
  void load() const;  // once; Error at the first that cannot be
};

}  // namespace lmc
