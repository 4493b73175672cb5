#include "tools/pass_files.h"

#include <CLI/CLI.hpp>

#include "passes/lmpass.h"
#include "passes/plugin.h"

namespace lmc {

void PassFiles::add_to(CLI::App& app) {
  app.add_option("--pass", texts, "add the pass in this text file (.lmpass); may be given several times")
      ->allow_extra_args(false);
  app.add_option("--load-pass", plugins, "add the passes in this shared object; may be given several times")
      ->allow_extra_args(false);
}

// Plugins first: what a text says of its order may name their passes.
void PassFiles::load() const {
  for (const std::string& p : plugins) load_plugin(p);
  load_pass_files(texts);
}

}  // namespace lmc
