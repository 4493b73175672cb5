#include "tools/pipeline/pass_files.h"

#include "passes/engine/plugin.h"
#include "passes/pattern/lmpass.h"

namespace lmc {

void PassFiles::add_to(Flags& flags) {
  flags.option("--pass", texts, "add the pass in this text file (.lmpass); may be given several times")
      .type_name("FILE")
      .one_value_each();
  flags.option("--load-pass", plugins, "add the passes in this shared object; may be given several times")
      .type_name("FILE")
      .one_value_each();
}

// Plugins first: what a text says of its order may name their passes.
void PassFiles::load() const {
  for (const std::string& p : plugins) load_plugin(p);
  load_pass_files(texts);
}

}  // namespace lmc
