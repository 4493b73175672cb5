// The options about passes that every command with passes shares.
#pragma once

#include <string>
#include <vector>

#include "passes/manager.h"
#include "tools/pass_files.h"

namespace CLI {
class App;
}

namespace lmc {

struct PassFlags {
  std::vector<std::string> only, disabled, settings, print_before, print_after;
  std::string dump_dir, dump_scope, budget;
  int64_t limit = -1;
  bool check = false;
  bool explain = false;
  PassFiles files;

  void add_to(CLI::App& app);
  // Loads the passes from outside first, so it is called once. UsageError / Error for unknown names.
  PassOptions options() const;
};

// What --quant, --quant-min-dim and --kv ("" = what goes with `quant`) of a model mean to the passes.
void set_formats(PassOptions& options, const std::string& quant, int64_t min_dim, const std::string& kv);

// What each pass did, for people: summaries always, the rest on request.
void report_passes(const std::vector<PassReport>& reports, bool explain, bool check);

}  // namespace lmc
