// The options about passes that every command with passes shares.
#pragma once

#include <string>
#include <vector>

#include "passes/engine/manager.h"
#include "tools/cli/flags.h"
#include "tools/pipeline/pass_files.h"

namespace lmc {

struct PassFlags {
  std::vector<std::string> only, enabled, disabled, settings, print_before, print_after;
  std::string dump_dir, dump_scope, budget;
  int64_t limit = -1;
  bool check = false;
  bool explain = false;
  bool price = false;
  PassFiles files;

  void add_to(Flags& flags);
  // Loads the passes from outside first, so it is called once. UsageError / Error for unknown names.
  PassOptions options() const;
};

// What passes did, as `lmc compile` says it.
void report_passes(const std::vector<PassReport>& reports, const PassOptions& options, bool explain);

// Runs the passes and says what each did: summaries always, the rest as the flags want it. `to_be_lowered`:
// throws Error, at the place of the pass, for a group that cannot be a kernel; else that is said, too.
std::vector<PassReport> run_and_report(Graph& g, PassOptions options, const PassFlags& flags,
                                       bool to_be_lowered);

}  // namespace lmc
