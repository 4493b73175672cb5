// The options about passes that compile and opt share.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "passes/manager.h"

namespace lmc {

struct PassFlags {
  std::vector<std::string> only, disabled, settings, print_before, print_after;
  std::string dump_dir, dump_scope;
  int64_t limit = -1;
  bool check = false;
  bool explain = false;

  void add_to(CLI::App& app);
  PassOptions options() const;  // UsageError / Error for unknown names
};

// What each pass did, for people: summaries always, the rest on request.
void report_passes(const std::vector<PassReport>& reports, bool explain, bool check);

}  // namespace lmc
