// Runs passes and is responsible for everything their authors should not have to think of: order,
// verification, honesty, the numeric gate, dumps, timing.
#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ir/pass.h"
#include "ir/weights.h"
#include "passes/engine/check.h"

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
  // The passes of this phase only. Without one: those of the first phase, and whatever `only` names.
  std::optional<PassPhase> phase;
  std::optional<std::vector<std::string>> only;  // --passes=a,b: these, in the pipeline's order
  std::set<std::string> enabled, disabled;       // besides the standard ones; not even if standard
  std::map<std::string, std::map<std::string, std::string>> settings;  // pass → key → value
  int64_t limit = INT64_MAX;                        // --pass-limit: applications, all passes together
  std::string dump_dir;                             // "" = no dumps
  std::string dump_tag;                             // "decode": files are 014.decode.form-kernels.after.lmir
  int passes_before = 0;                            // dumps are numbered from the next one on
  std::string dump_scope = "auto";                  // what dumps and prints show: see ir/view.h
  std::set<std::string> print_before, print_after;  // pass names or "all"
  std::ostream* print_to = nullptr;
  bool check = false;                          // the numeric gate after every pass
  CheckBudget budget;                          // for the passes that are not exact
  std::vector<int64_t> check_tokens = {1, 7};  // of a step: decoding, and a block of a prompt
  const WeightSource* weights = nullptr;       // for the gate; null = seeded random numbers
  std::string repro_path = "repro.lmir";       // written when a pass fails; "" = never
  // What `lmc opt` needs besides the passes to check with the same weights: words such as "--weights", "DIR".
  std::vector<std::string> replay_flags;
  // What a token costs, in any unit: decides between passes that want the same ops. Error: no price. Without
  // it the order decides.
  std::function<double(const Graph&)> price;
  // What comes of it is priced and thrown away: passes are not held to what they say nor reported on, and the
  // graph is verified when all have run.
  bool trial = false;
  // Sees the graph behind every pass.
  std::function<void(const PassReport&, const Graph&)> after_pass;
};

enum class FailureKind : uint8_t {
  threw,            // an Error, or what its author let slip
  unsound,          // the verifier found the graph broken
  dishonest,        // it says that it changed the graph, or that it did not, and that is not so
  results_changed,  // it is exact, and outputs differ by more than rounding
  over_budget,      // it is not exact, and changed more than the budget allows
};

// A pass failed. `reason` is the message without the pass's name and without what to do.
struct PassFailure : Error {
  PassFailure(std::string pass, FailureKind kind, std::string reason, const std::string& hint = "");

  std::string pass;
  FailureKind kind;
  std::string reason;
};

// Parses "fuse-qkv.biased=skip". Error for an unknown pass or key.
void add_setting(PassOptions& options, const std::string& text);

// Runs the pipeline over `g`. Throws PassFailure, after writing repro.lmir, if a pass throws, leaves the
// graph unsound, lies about having changed it, or is caught by the numeric gate; Error if `g` as given cannot
// be evaluated for the gate.
std::vector<PassReport> run_passes(Graph& g, const PassOptions& options);

// The passes `options` would run, in order.
std::vector<const Pass*> pipeline(const PassOptions& options);

// Do the caches count when the pass is judged? An exact pass says so itself, for others the budget may too.
bool caches_count(const Pass& pass, const CheckBudget& budget);
// What a pass that may change so much did wrong, or "".
std::string judge(const Pass& pass, const CheckBudget& budget, const CheckResult& r);

// "lmc opt GRAPH --passes=NAME …": runs these passes alone as `options` would, but for the limit.
std::string replay_command(const std::string& graph, const std::vector<std::string>& passes,
                           const PassOptions& options, int64_t limit);

}  // namespace lmc
