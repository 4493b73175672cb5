#include "passes/engine/manager.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <ostream>

#include "ir/files.h"
#include "ir/op_def.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "ir/view.h"
#include "passes/engine/plugin.h"
#include "passes/engine/rivals.h"

namespace lmc {
namespace {

// As a shell reads it back.
std::string shell_word(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || std::strchr("_-./=,:+@%", c) != nullptr;
  });
  if (plain) return word;
  std::string out = "'";
  for (char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

struct Counts {
  int64_t ops = 0, linears = 0;
  double weight_bytes = 0;
};

// What a step executes: ops on weights alone run once, when compiling.
Counts counted(const Graph& g) {
  Counts out;
  const SideTable<ValueId, char> constant = weight_only(g);
  for (OpId id : g.ops()) {
    const Op& op = g.op(id);
    if (constant[op.results[0]]) continue;
    ++out.ops;
    out.weight_bytes += op_cost(g, id, constant).weight_bytes;
    if (op.body) out.linears += counted(*op.body).linears;  // groups nest 32 deep at most
    out.linears += op.def->category == OpCategory::contraction;
  }
  return out;
}

class Manager {
 public:
  Manager(Graph& g, const PassOptions& options) : g_(g), options_(options), number_(options.passes_before) {}

  std::vector<PassReport> run() {
    std::vector<const Pass*> passes = pipeline(options_);
    drop_unused_weights();
    if (options_.trial) return try_all(passes);
    text_ = print_graph(g_);
    counts_ = counted(g_);
    if (!options_.dump_dir.empty()) {
      std::filesystem::create_directories(options_.dump_dir);
      if (number_ == 0) dump("import");
    }
    if (options_.check) {
      gate_.emplace(g_, options_.weights, options_.check_tokens);
      gate_->evaluate(g_);
    }
    for (size_t i = 0; i < passes.size(); ++i) {
      if (options_.price) settle_rivals(g_, options_, passes, i, notes_);
      run_one(*passes[i]);
    }
    return std::move(reports_);
  }

 private:
  std::vector<PassReport> try_all(const std::vector<const Pass*>& passes) {
    for (const Pass* pass : passes) {
      PassReport ignored;
      ignored.pass = pass->name();
      PassContext context = context_of(*pass);
      transform(*pass, context, ignored);
    }
    verify(g_);
    return {};
  }

  PassContext context_of(const Pass& pass) const {
    PassContext out;
    if (const auto it = options_.settings.find(pass.name()); it != options_.settings.end())
      out.settings = it->second;
    if (options_.limit != INT64_MAX) out.limit = std::max<int64_t>(options_.limit - applied_, 0);
    return out;
  }

  void run_one(const Pass& pass) {
    const std::string name = pass.name();
    ++number_;
    print(options_.print_before, name, "before");
    if (!options_.dump_dir.empty()) dump(name + ".before");
    if (gate_) before_ = g_.clone();
    PassReport r;
    r.pass = name;
    r.ops_before = counts_.ops;
    r.linears_before = counts_.linears;
    r.weight_bytes_before = counts_.weight_bytes;
    PassContext context = context_of(pass);
    const int64_t limit = context.limit;
    try {
      transform(pass, context, r);
      prove(pass, r);
    } catch (const PassFailure& e) {
      throw PassFailure(e.pass, e.kind, e.reason, save_repro(name, limit));
    }
    applied_ += context.applications;
    r.applications = context.applications;
    r.summary = context.summary;
    if (const auto note = notes_.find(name); note != notes_.end() && !r.summary.empty())
      r.summary += " (" + note->second + ")";
    r.remarks = context.remarks;
    r.near_misses = context.near_misses;
    r.ledger = context.ledger;
    r.ops_after = counts_.ops;
    r.linears_after = counts_.linears;
    r.weight_bytes_after = counts_.weight_bytes;
    reports_.push_back(std::move(r));
    if (!options_.dump_dir.empty()) dump(name + ".after");
    print(options_.print_after, name, "after");
    if (options_.after_pass) options_.after_pass(reports_.back(), g_);
  }

  void drop_unused_weights() {
    for (ValueId w : g_.weights()) g_.remove_weight_if_unused(w);
  }

  void transform(const Pass& pass, PassContext& context, PassReport& r) {
    try {
      const auto start = std::chrono::steady_clock::now();
      r.changed = pass.run(g_, context);
      r.milliseconds =
          std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
      drop_unused_weights();
    } catch (const std::bad_alloc&) {
      throw;  // no fault of the pass
    } catch (const SettingError&) {
      throw;
    } catch (const std::exception& e) {  // whatever the pass's author let slip
      throw PassFailure(r.pass, FailureKind::threw, e.what());
    } catch (...) {
      throw PassFailure(r.pass, FailureKind::threw, "it throws something that is no std::exception");
    }
  }

  void prove(const Pass& pass, PassReport& r) {
    try {
      verify(g_);
    } catch (const Error& e) {
      throw PassFailure(r.pass, FailureKind::unsound, e.what());
    }
    std::string text = print_graph(g_);
    if ((text != text_) != r.changed) {
      throw PassFailure(r.pass, FailureKind::dishonest,
                        r.changed ? "it says that it changed the graph, and did not"
                                  : "it changed the graph and says that it did not");
    }
    if (gate_ && r.changed) check(pass, r);
    if (!r.changed) return;
    text_ = std::move(text);
    counts_ = counted(g_);
  }

  void check(const Pass& pass, PassReport& r) {
    const FailureKind kind = pass.exact() ? FailureKind::results_changed : FailureKind::over_budget;
    const char* const verdict =
        pass.exact() ? "it is exact, but results changed: " : "results changed by more than the budget: ";
    try {
      r.checks = gate_->compare(before_, g_, caches_count(pass, options_.budget));
    } catch (const Error& e) {
      throw PassFailure(r.pass, kind, std::string("results cannot be compared: ") + e.what());
    }
    for (const CheckResult& c : r.checks) {
      if (const std::string wrong = judge(pass, options_.budget, c); !wrong.empty())
        throw PassFailure(r.pass, kind, verdict + wrong + " (" + c.str() + ")");
    }
  }

  std::string save_repro(const std::string& pass, int64_t limit) const {
    if (options_.repro_path.empty()) return "";
    const std::string command = replay_command(options_.repro_path, {pass}, options_, limit);
    try {
      write_file(options_.repro_path, "// replay: " + command + "\n" + text_);
    } catch (const Error&) {
      return "";  // what went wrong before is what matters
    }
    return "; the graph before it is in " + options_.repro_path + ", replay: " + command;
  }

  void dump(const std::string& what) const {
    char number[8];
    std::snprintf(number, sizeof number, "%03d", number_);
    const std::string path = options_.dump_dir + "/" + number + "." +
                             (options_.dump_tag.empty() ? "" : options_.dump_tag + ".") + what + ".lmir";
    write_file(path, view_text(g_, options_.dump_scope));
  }

  void print(const std::set<std::string>& wanted, const std::string& pass, const std::string& when) const {
    if (!options_.print_to || (!wanted.contains(pass) && !wanted.contains("all"))) return;
    *options_.print_to << "// " << when << " " << pass
                       << (options_.dump_tag.empty() ? "" : " (" + options_.dump_tag + ")") << "\n"
                       << view_text(g_, options_.dump_scope);
  }

  Graph& g_;
  const PassOptions& options_;
  std::vector<PassReport> reports_;
  std::optional<NumericGate> gate_;
  std::string text_;                          // of the graph before the pass
  Counts counts_;                             // likewise
  Graph before_;                              // the pass, for the gate
  std::map<std::string, std::string> notes_;  // by pass, for its summary
  int number_;
  int64_t applied_ = 0;
};

}  // namespace

std::vector<const Pass*> pipeline(const PassOptions& options) {
  std::set<std::string> wanted;
  if (options.only) {
    for (const std::string& name : *options.only) wanted.insert(find_pass(name).name());
  }
  for (const auto* names : {&options.enabled, &options.disabled}) {
    for (const std::string& name : *names) find_pass(name);
  }
  std::vector<const Pass*> out;
  for (const Pass* p : ordered_passes()) {
    if (options.phase && p->phase() != *options.phase) continue;
    const bool here = options.phase || p->phase() == PassPhase::optimise;
    const bool usual = options.only ? wanted.contains(p->name()) : here && p->standard();
    const bool asked_for = here && options.enabled.contains(p->name());
    if ((usual || asked_for) && !options.disabled.contains(p->name())) out.push_back(p);
  }
  return out;
}

void add_setting(PassOptions& options, const std::string& text) {
  const size_t equals = text.find('=');
  const size_t dot = text.find('.');
  if (equals == std::string::npos || dot == std::string::npos || dot > equals) {
    throw Error("--set " + text + ": must be PASS.KEY=VALUE, such as fuse-qkv.biased=skip");
  }
  const std::string pass = text.substr(0, dot);
  const std::string key = text.substr(dot + 1, equals - dot - 1);
  std::string known;
  for (const PassSetting& s : find_pass(pass).settings()) {
    if (s.key == key) {
      options.settings[pass][key] = text.substr(equals + 1);
      return;
    }
    known += (known.empty() ? "" : ", ") + s.key;
  }
  throw Error("--set " + text + ": pass " + pass + " has " +
              (known.empty() ? "no settings" : "the settings " + known));
}

bool caches_count(const Pass& pass, const CheckBudget& budget) {
  return pass.compares_caches() && (pass.exact() || budget.caches);
}

std::string judge(const Pass& pass, const CheckBudget& budget, const CheckResult& r) {
  return pass.exact() ? inexact(r) : exceeded(budget, r);
}

std::string replay_command(const std::string& graph, const std::vector<std::string>& passes,
                           const PassOptions& options, int64_t limit) {
  std::string out = "lmc opt " + shell_word(graph);
  for (const std::string& word : options.replay_flags) out += " " + shell_word(word);
  std::string names;
  std::set<std::string> origins;
  for (const std::string& file : plugins_with_ops()) {
    origins.insert("--load-pass " + file);
    out += " --load-pass " + shell_word(file);
  }
  for (const std::string& pass : passes) {
    names += (names.empty() ? "" : ",") + pass;
    const std::string origin = origin_flags(pass);  // "--pass FILE"
    const size_t space = origin.find(' ');
    if (space != std::string::npos && origins.insert(origin).second)
      out += " " + origin.substr(0, space) + " " + shell_word(origin.substr(space + 1));
  }
  out += " " + shell_word("--passes=" + names);
  for (const std::string& pass : passes) {
    const auto it = options.settings.find(pass);
    if (it == options.settings.end()) continue;
    for (const auto& [key, value] : it->second) out += " --set " + shell_word(pass + "." + key + "=" + value);
  }
  if (limit != INT64_MAX) out += " --pass-limit=" + std::to_string(limit);
  if (options.check) out += " --check";
  if (options.check && options.budget != CheckBudget()) out += " --check-budget " + options.budget.str();
  return out;
}

PassFailure::PassFailure(std::string pass_name, FailureKind failure, std::string why, const std::string& hint)
    : Error("pass " + pass_name + ": " + why + hint),
      pass(std::move(pass_name)),
      kind(failure),
      reason(std::move(why)) {}

std::vector<PassReport> run_passes(Graph& g, const PassOptions& options) { return Manager(g, options).run(); }

}  // namespace lmc
