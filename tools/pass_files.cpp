#include "tools/pass_files.h"

#include "passes/lmpass.h"

namespace lmc {

void PassFiles::add_to(CLI::App& app) {
  app.add_option("--pass", texts, "add the pass in this text file (.lmpass); may be given several times")
      ->allow_extra_args(false);
}

void PassFiles::load() const { load_pass_files(texts); }

}  // namespace lmc
