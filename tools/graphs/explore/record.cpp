#include "tools/graphs/explore/record.h"

#include "ir/text.h"
#include "models/text/json_text.h"
#include "passes/engine/lowering.h"
#include "tools/build/quant_report.h"
#include "tools/bundle/bundle.h"

namespace lmc {
namespace {

using Json = nlohmann::ordered_json;

Json with_doc(Json pass) {
  for (const Pass* p : ordered_passes()) {
    if (p->name() != pass.at("pass").get<std::string>()) continue;
    pass["doc"] = p->doc();
    pass["exact"] = p->exact();
  }
  return pass;
}

// The fields of `like`, each of the kind it has there: where the page expects a number it does not look for
// markup.
Json fields_like(const Json& like, const Json& given) {
  Json out;
  for (const auto& [name, sample] : like.items()) {
    const Json& value = given.at(name);
    const bool same = sample.is_number() ? value.is_number() : sample.type() == value.type();
    if (!same) throw Error("'" + name + "' is " + value.type_name() + ", expected " + sample.type_name());
    out[name] = value;
  }
  return out;
}

}  // namespace

PipelineRecord record_pipeline(Graph g, const PassOptions& options) {
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
  run_passes(g, recording);
  try {
    lower(std::move(g), {}, recording);
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
  const Json report = read_ordered_json(bundle.file("report.json"));
  try {
    out.passes = Json::array();
    const Json pass_like = pass_json({}), entry_like = ledger_json({}, {});
    for (const Json& pass : report.at("passes")) {
      out.passes.push_back(with_doc(fields_like(pass_like, pass)));
      out.state_after.push_back(0);
    }
    for (const Json& entry : report.at("quantization")) {
      out.ledger.push_back(fields_like(entry_like, entry));
      const auto sqnr = entry.find("sqnr_db");
      if (sqnr != entry.end() && sqnr->is_number()) out.ledger.back()["sqnr_db"] = *sqnr;
    }
  } catch (const nlohmann::json::exception& e) {
    throw Error(bundle.file("report.json") + ": " + e.what());
  } catch (const Error& e) {
    throw Error(bundle.file("report.json") + ": " + e.what());
  }
  out.first_name = "model.lmir";
  out.first_doc = "the graph behind the last pass, as the bundle holds it";
  out.note = "A bundle holds the graph behind the last pass only; explore the model file to see each pass.";
  return out;
}

}  // namespace lmc
