#include "tools/graphs/explore/record.h"

#include <fmt/format.h>

#include "codegen/codegen.h"
#include "ir/network.h"
#include "ir/text.h"
#include "passes/engine/lowering.h"
#include "passes/engine/ranks.h"
#include "tools/build/quant_report.h"
#include "tools/bundle/bundle.h"
#include "tools/cli/console.h"
#include "tools/graphs/explore/bundle_report.h"

namespace lmc {
namespace {

using Json = nlohmann::ordered_json;

Json with_doc(Json pass) {
  for (const Pass* p : ordered_passes()) {
    if (p->name() != pass.at("pass").get<std::string>()) continue;
    pass["doc"] = p->doc();
    pass["exact"] = p->exact();
  }
  if (!pass.contains("doc")) {  // a rank's graph taken out of all ranks'
    pass["doc"] = pass.value("summary", "");
    pass["exact"] = true;
  }
  return pass;
}

// What this rank has, and what it sends for a token.
std::string rank_fact(const Plan& plan) {
  double weights = 0;
  for (const PlanWeight& w : plan.weights) weights += static_cast<double>(w.bytes);
  const StepTraffic sent = step_traffic(plan.decode, {}, {});
  return fmt::format(
      "rank {}: {} kernels a token on {} of weights; {} collectives, {} sent in {} messages, {} got",
      plan.rank, plan.decode.stages.size(), human_bytes(weights), sent.collectives,
      human_bytes(sent.all.sent), sent.all.messages_out, human_bytes(sent.all.got));
}

}  // namespace

PipelineRecord record_pipeline(Graph g, const PassOptions& options, const RecordedRank& rank) {
  PipelineRecord out;
  for (ValueId w : g.weights()) g.remove_weight_if_unused(w);  // as the manager does first of all
  out.states.push_back(g.clone());
  out.passes = Json::array();
  out.ledger = Json::array();
  PassOptions recording = options;
  recording.after_pass = [&](const PassReport& r, const Graph& now) {
    if (r.changed) out.states.push_back(now.clone());
    out.state_after.push_back(out.states.size() - 1);
    Json pass = with_doc(pass_json(r));
    if (!r.checks.empty()) {
      for (const CheckResult& c : r.checks) pass["checks"].push_back(c.str());
    }
    out.passes.push_back(std::move(pass));
    for (const LedgerEntry& e : r.ledger) out.ledger.push_back(ledger_json(e, {}));
  };
  if (rank.ranks == 0) {
    run_passes(g, recording);
  } else {
    g = std::move(run_passes_for_ranks(g, recording, rank.ranks, {rank.rank}).graphs[0]);
  }
  try {
    Lowered lowered = lower(std::move(g), {}, recording);
    if (rank.ranks > 0) out.facts.push_back(rank_fact(plan_only(std::move(lowered), {}).plan));
  } catch (const Error& e) {
    out.note = std::string("The graph cannot be lowered: ") + e.what();
  }
  return out;
}

PipelineRecord record_of_bundle(const std::string& path) {
  const Bundle bundle(path);
  PipelineRecord out;
  out.title = bundle.info.model;
  out.source = bundle.info.source;
  out.states.push_back(parse_graph(read_file(bundle.file("model.lmir")), bundle.file("model.lmir")));
  const BundleReport report = read_report(bundle.file("report.json"));
  out.passes = Json::array();
  for (const Json& pass : report.passes) {
    out.passes.push_back(with_doc(pass));
    out.state_after.push_back(0);
  }
  out.ledger = report.ledger;
  out.first_name = "model.lmir";
  out.first_doc = "the graph behind the last pass, as the bundle holds it";
  out.note = "A bundle holds the graph behind the last pass only; explore the model file to see each pass.";
  return out;
}

}  // namespace lmc
