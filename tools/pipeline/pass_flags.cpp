#include "tools/pipeline/pass_flags.h"

#include <iostream>

#include "tools/cli/console.h"
#include "tools/pipeline/group_outcome.h"
#include "tools/pipeline/pass_prices.h"
#include "tools/pipeline/price.h"

namespace lmc {

void PassFlags::add_to(Flags& flags) {
  files.add_to(flags);
  flags.option("--passes", only, "run only these passes (comma-separated, in the pipeline's order), or none")
      .type_name("PASS")
      .comma_separated();
  flags.option("--enable-pass", enabled, "run these passes as well, which only run on request")
      .type_name("PASS")
      .comma_separated();
  flags.option("--disable-pass", disabled, "leave these passes out").type_name("PASS").comma_separated();
  flags.option("--set", settings, "a setting of a pass: fuse-qkv.biased=skip").one_value_each();
  flags.option("--pass-limit", limit, "stop after this many applications").not_negative();
  flags.option("--dump-ir", dump_dir, "write the IR before and after every pass into this folder")
      .type_name("FOLDER");
  flags.option("--dump-scope", dump_scope,
               "what dumps and prints show: all, collapsed (layers that are alike once), layer:N, or a scope "
               "such as layers.0.ffn (default: layer:0)");
  flags.option("--print-ir-before", print_before, "print the IR before these passes (or all)")
      .type_name("PASS")
      .comma_separated();
  flags.option("--print-ir-after", print_after, "print the IR after these passes (or all)")
      .type_name("PASS")
      .comma_separated();
  flags.flag("--check", check, "evaluate the graph before and after every pass and compare");
  flags.option("--check-budget", budget,
               "what a pass that is not exact may change, such as kl=0.01,sqnr=30 (abs, rel, top1, kl, sqnr; "
               "default rel=0.25,kl=0.05,sqnr=18; caches=no compares logits alone); turns --check on");
  flags.flag("--price", price,
             "what a token costs behind each pass, by the plan: kernels, bytes, arithmetic, predicted times");
  flags.flag("--explain", explain, "say where patterns almost matched, and what refused");
}

PassOptions PassFlags::options() const {
  files.load();
  PassOptions o;
  if (!only.empty()) o.only = only == std::vector<std::string>{"none"} ? std::vector<std::string>{} : only;
  o.enabled = {enabled.begin(), enabled.end()};
  o.disabled = {disabled.begin(), disabled.end()};
  for (const std::string& s : settings) add_setting(o, s);
  if (limit >= 0) o.limit = limit;
  o.dump_dir = dump_dir;
  if (!dump_scope.empty()) o.dump_scope = dump_scope;
  for (const auto* names : {&print_before, &print_after}) {
    for (const std::string& n : *names) {
      if (n != "all") find_pass(n);
    }
  }
  o.print_before = {print_before.begin(), print_before.end()};
  o.print_after = {print_after.begin(), print_after.end()};
  o.print_to = &std::cout;
  o.check = check || !budget.empty();
  if (!budget.empty()) o.budget = parse_budget(budget);
  o.price = [figures = PricingFigures()](const Graph& g) {
    return price_of(g, figures.get()).seconds_of_both();
  };
  pipeline(o);
  return o;
}

void report_passes(const std::vector<PassReport>& reports, const PassOptions& options, bool explain) {
  for (const PassReport& r : reports) {
    const Pass& pass = find_pass(r.pass);
    const std::string judged = std::string(pass.exact() ? "exact" : "within budget") +
                               (caches_count(pass, options.budget) ? "" : ", logits alone");
    if (!r.summary.empty()) info("{}", r.summary);
    for (const std::string& remark : r.remarks) info("  {}: {}", r.pass, remark);
    if (options.check && r.checks.empty()) info("  check {}: unchanged", r.pass);
    for (const CheckResult& c : r.checks) info("  check {} ({}): {}", r.pass, judged, c.str());
    if (explain) {
      for (const std::string& near : r.near_misses) info("  {} did not fire: {}", r.pass, near);
    }
    if (log_level() >= LogLevel::debug) {
      info(
          "  {}: {} applications, {:.2f} ms, ops {} -> {}, linears {} -> {}, weight bytes per token {} -> {}",
          r.pass, r.applications, r.milliseconds, r.ops_before, r.ops_after, r.linears_before,
          r.linears_after, human_bytes(r.weight_bytes_before), human_bytes(r.weight_bytes_after));
    }
  }
}

std::vector<PassReport> run_and_report(Graph& g, PassOptions options, const PassFlags& flags,
                                       bool to_be_lowered) {
  PassPrices prices;
  if (flags.price) prices.watch(g, options);
  const std::vector<PassReport> reports = run_passes(g, options);
  report_passes(reports, options, flags.explain);
  const GroupOutcomes outcomes = group_outcomes(g, flags.explain);
  for (const std::string& line : outcomes.several) info("  {}", line);
  if (outcomes.impossible && to_be_lowered) throw *outcomes.impossible;
  if (outcomes.impossible) info("  {}", outcomes.impossible->what());
  if (flags.price) info("{}", prices.table());
  return reports;
}

}  // namespace lmc
