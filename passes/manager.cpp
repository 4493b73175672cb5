#include "passes/manager.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <ostream>

#include "ir/op_def.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "ir/view.h"

namespace lmc {
namespace {

// What a step executes: ops on weights alone run once, when compiling.
void count(const Graph& g, int64_t& ops, int64_t& linears, double& weight_bytes) {
  const SideTable<ValueId, char> constant = weight_only(g);
  for (OpId id : g.ops()) {
    const Op& op = g.op(id);
    if (constant[op.results[0]]) continue;
    ++ops;
    weight_bytes += op_cost(g, id).weight_bytes;
    if (op.body) {
      int64_t ignored = 0;
      double bytes = 0;
      count(*op.body, ignored, linears, bytes);
    }
    linears += op.def->name == "linear";
  }
}

class Manager {
 public:
  Manager(Graph& g, const PassOptions& options) : g_(g), options_(options) {}

  std::vector<PassReport> run() {
    const std::vector<const Pass*> passes = pipeline(options_);
    drop_unused_weights();
    if (!options_.dump_dir.empty()) {
      std::filesystem::create_directories(options_.dump_dir);
      dump("import");
    }
    for (const Pass* pass : passes) run_one(*pass);
    return std::move(reports_);
  }

 private:
  void run_one(const Pass& pass) {
    const std::string name = pass.name();
    ++number_;
    print(options_.print_before, name, "before");
    if (!options_.dump_dir.empty()) dump(name + ".before");
    const std::string before_text = print_graph(g_);
    PassReport r;
    r.pass = name;
    count(g_, r.ops_before, r.linears_before, r.weight_bytes_before);
    PassContext context;
    if (const auto it = options_.settings.find(name); it != options_.settings.end())
      context.settings = it->second;
    if (options_.limit != INT64_MAX) context.limit = std::max<int64_t>(options_.limit - applied_, 0);
    try {
      const auto start = std::chrono::steady_clock::now();
      r.changed = pass.run(g_, context);
      r.milliseconds =
          std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
      drop_unused_weights();
      verify(g_);
      const bool differs = print_graph(g_) != before_text;
      if (differs != r.changed) {
        throw Error(r.changed ? "it says that it changed the graph, and did not"
                              : "it changed the graph and says that it did not");
      }
      if (options_.check && r.changed) check(pass, before_text, r);
    } catch (const std::exception& e) {  // whatever the pass's author let slip
      throw Error("pass " + name + ": " + e.what() + save_repro(name, context, before_text));
    } catch (...) {
      throw Error("pass " + name + ": it throws something that is no std::exception" +
                  save_repro(name, context, before_text));
    }
    applied_ += context.applications;
    r.applications = context.applications;
    r.summary = context.summary;
    r.remarks = context.remarks;
    r.near_misses = context.near_misses;
    r.ledger = context.ledger;
    count(g_, r.ops_after, r.linears_after, r.weight_bytes_after);
    reports_.push_back(std::move(r));
    if (!options_.dump_dir.empty()) dump(name + ".after");
    print(options_.print_after, name, "after");
    if (options_.after_pass) options_.after_pass(reports_.back(), g_);
  }

  void drop_unused_weights() {
    for (ValueId w : g_.weights()) g_.remove_weight_if_unused(w);
  }

  void check(const Pass& pass, const std::string& before_text, PassReport& r) const {
    const Graph before = parse_graph(before_text);
    for (int64_t tokens : {1, 7}) {
      r.checks.push_back(compare(before, g_, options_.weights, tokens));
      const CheckResult& c = r.checks.back();
      if (pass.exact() && !(c.max_rel <= kExactTolerance))
        throw Error("it is exact, but results changed: " + c.str());
    }
  }

  std::string save_repro(const std::string& pass, const PassContext& context, const std::string& text) const {
    if (options_.repro_path.empty()) return "";
    std::ofstream out(options_.repro_path);
    const std::string origin = origin_flags(pass);
    out << "// replay: lmc opt " << options_.repro_path << (origin.empty() ? "" : " ") << origin
        << " --passes=" << pass;
    for (const auto& [key, value] : context.settings) out << " --set " << pass << "." << key << "=" << value;
    if (context.limit != INT64_MAX) out << " --pass-limit=" << std::max<int64_t>(context.limit, 0);
    out << (options_.check ? " --check" : "") << "\n" << text;
    return out ? " (the graph before it is in " + options_.repro_path + ")" : "";
  }

  void dump(const std::string& what) const {
    char number[8];
    std::snprintf(number, sizeof number, "%03d", number_);
    const std::string path = options_.dump_dir + "/" + number + "." + what + ".lmir";
    std::ofstream out(path);
    out << view_text(g_, options_.dump_scope);
    if (!out) throw Error(path + ": cannot write");
  }

  void print(const std::set<std::string>& wanted, const std::string& pass, const std::string& when) const {
    if (!options_.print_to || (!wanted.contains(pass) && !wanted.contains("all"))) return;
    *options_.print_to << "// " << when << " " << pass << "\n" << view_text(g_, options_.dump_scope);
  }

  Graph& g_;
  const PassOptions& options_;
  std::vector<PassReport> reports_;
  int number_ = 0;
  int64_t applied_ = 0;
};

}  // namespace

std::vector<const Pass*> pipeline(const PassOptions& options) {
  std::set<std::string> wanted;
  if (options.only) {
    for (const std::string& name : *options.only) wanted.insert(find_pass(name).name());
  }
  for (const std::string& name : options.disabled) find_pass(name);
  std::vector<const Pass*> out;
  for (const Pass* p : ordered_passes()) {
    if ((!options.only || wanted.contains(p->name())) && !options.disabled.contains(p->name()))
      out.push_back(p);
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

std::vector<PassReport> run_passes(Graph& g, const PassOptions& options) { return Manager(g, options).run(); }

}  // namespace lmc
