// Runs passes and is responsible for everything their authors should not have to think of: order,
// verification, honesty, the numeric gate, dumps, timing.
#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ir/weights.h"
#include "passes/check.h"
#include "passes/pass.h"

namespace lmc {

struct PassReport {
  std::string pass;
  bool changed = false;
  int64_t applications = 0;
  double milliseconds = 0;
  int64_t ops_before = 0, ops_after = 0;
  int64_t linears_before = 0, linears_after = 0;
  double weight_bytes_before = 0, weight_bytes_after = 0;  // read per token
  std::string summary;
  std::vector<std::string> remarks, near_misses;
  std::vector<LedgerEntry> ledger;
  std::vector<CheckResult> checks;
};

struct PassOptions {
  std::optional<std::vector<std::string>> only;  // --passes=a,b: these, in the pipeline's order
  std::set<std::string> disabled;
  std::map<std::string, std::map<std::string, std::string>> settings;  // pass → key → value
  int64_t limit = INT64_MAX;                        // --pass-limit: applications, all passes together
  std::string dump_dir;                             // "" = no dumps
  std::string dump_scope = "auto";                  // what dumps and prints show: see ir/view.h
  std::set<std::string> print_before, print_after;  // pass names or "all"
  std::ostream* print_to = nullptr;
  bool check = false;                     // the numeric gate after every pass
  const WeightSource* weights = nullptr;  // for the gate; null = seeded random numbers
  std::string repro_path = "repro.lmir";  // written when a pass fails; "" = never
  // Sees the graph behind every pass.
  std::function<void(const PassReport&, const Graph&)> after_pass;
};

// Parses "fuse-qkv.biased=skip". Error for an unknown pass or key.
void add_setting(PassOptions& options, const std::string& text);

// Runs the pipeline over `g`. Throws Error, after writing repro.lmir, if a pass throws, leaves the graph
// unsound, lies about having changed it, or is caught by the numeric gate.
std::vector<PassReport> run_passes(Graph& g, const PassOptions& options);

// The passes `options` would run, in order.
std::vector<const Pass*> pipeline(const PassOptions& options);

}  // namespace lmc
