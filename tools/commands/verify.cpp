// lmc verify: every kernel of a bundle beside the evaluator of its group, and the whole step beside the
// model's.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "codegen/proof/prove.h"
#include "ir/eval.h"
#include "ir/text.h"
#include "tools/bundle/bundle_weights.h"
#include "tools/cli/command.h"
#include "tools/cli/console.h"
#include "tools/generate/engine.h"

namespace lmc::verify_command {
namespace {

struct Options {
  std::string bundle;
  bool kernels_only = false;
  bool json = false;
};

// Of the largest logit: rounding of activations to int8 may go the other way in double precision, and then
// shows in all that follows. A wrong kernel is far beyond.
constexpr double kAllowed = 0.1;

struct StepResult {
  int64_t tokens = 0;
  double error = 0;  // largest, of the largest logit
  int64_t same_best = 0;
};

Graph read_graph(const Bundle& bundle, const std::string& name) {
  const std::string file = bundle.own_file(name);
  return parse_graph(read_file(file), file);
}

Proof prove_all(const Bundle& bundle) {
  Lowered lowered;
  lowered.model = read_graph(bundle, "model.lmir");
  lowered.decode = read_graph(bundle, "decode.lmir");
  lowered.prefill = read_graph(bundle, "prefill.lmir");
  if (!bundle.plan.hidden.stages.empty()) lowered.hidden = read_graph(bundle, "hidden.lmir");
  if (!bundle.plan.draft.stages.empty()) lowered.draft = read_graph(bundle, "draft.lmir");
  lowered.block = bundle.plan.prefill.max_tokens;
  const LoadedKernels kernels(bundle.kernels);
  return prove_kernels(lowered, bundle.plan, kernels, true);
}

// The kernels together, on the bundle's own weights, against the model evaluated in double precision.
StepResult compare_step(Engine& engine, int64_t tokens) {
  Session& session = engine.session();
  StepResult out;
  out.tokens = std::min(tokens, session.context());
  std::vector<int32_t> ids;
  for (int64_t i = 0; i < out.tokens; ++i)
    ids.push_back(static_cast<int32_t>((i * 37 + 5) % session.vocab()));
  const Tensor want =
      evaluate(graph_over_packed(engine.bundle()), step_inputs(ids, true), BundleWeights(engine.bundle()))
          .at(0);
  double largest = 0;
  for (const double x : want.data) largest = std::max(largest, std::fabs(x));
  session.reset();
  session.forward(ids, Rows::all, [&](int64_t first, int64_t rows, const float* logits) {
    for (int64_t r = 0; r < rows; ++r) {
      const double* row = want.row(first + r);
      const float* got = logits + r * want.last();
      for (int64_t i = 0; i < want.last(); ++i) {
        const double d = std::fabs(static_cast<double>(got[i]) - row[i]) / largest;
        out.error = std::isnan(d) ? INFINITY : std::max(out.error, d);
      }
      out.same_best +=
          std::max_element(row, row + want.last()) - row == std::max_element(got, got + want.last()) - got;
    }
  });
  return out;
}

// Error for a kernel that computes something else.
void prove_rank(const Options& o, const Bundle& bundle, nlohmann::ordered_json& json) {
  const auto start = std::chrono::steady_clock::now();
  const Proof proof = prove_all(bundle);
  if (proof.wrong) throw Error(o.bundle + ": " + proof.wrong->str());
  json["kernels"] = json.value("kernels", size_t{0}) + proof.kernels;
  json["verified"] = json.value("verified", size_t{0}) + proof.verified;
  if (o.json) return;
  fmt::print("{}verified {} of {} kernels, all tiles, in {:.2f} s\n",
             bundle.plan.ranks > 1 ? fmt::format("rank {}: ", bundle.rank) : "", proof.verified,
             proof.kernels, seconds_since(start));
}

void compare_steps(const Options& o, nlohmann::ordered_json& json) {
  Engine engine(o.bundle);
  json["steps"] = nlohmann::ordered_json::array();
  for (const int64_t tokens : {1, 7}) {
    const StepResult r = compare_step(engine, tokens);
    json["steps"].push_back({{"tokens", r.tokens}, {"error", r.error}, {"same_best", r.same_best}});
    if (!o.json)
      fmt::print("step of {}: logits within {:.2g} of the largest, same best token in {} of {} rows\n",
                 r.tokens, r.error, r.same_best, r.tokens);
    if (!(r.error <= kAllowed))
      throw Error(
          fmt::format("{}: every kernel is right alone, but the logits of a step of {} are off by {:.3g} "
                      "of the largest",
                      o.bundle, r.tokens, r.error));
  }
}

void run(const Options& o) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  const Bundle first(o.bundle);
  prove_rank(o, first, json);
  for (int64_t r = 1; r < first.plan.ranks; ++r) prove_rank(o, Bundle(o.bundle, r), json);
  if (first.plan.ranks == 1) {
    if (!o.kernels_only) compare_steps(o, json);
  } else if (!o.kernels_only) {
    info(
        "the steps of {} ranks are not compared with the model: lmc compile --ranks --check proves what they "
        "compute together",
        first.plan.ranks);
  }
  if (o.json) fmt::print("{}\n", json.dump());
}

const RegisterCommand kVerify(
    {"verify", "prove a bundle's kernels against the reference evaluator", [](Flags& flags) {
       auto o = std::make_shared<Options>();
       flags.option("bundle", o->bundle, "the bundle").type_name("BUNDLE").required();
       add_trust_flag(flags);
       flags.flag("--kernels", o->kernels_only,
                  "the kernels only, not the whole step (which takes the model in double precision)");
       flags.flag("--json", o->json, "one object instead of text");
       return [o] { run(*o); };
     }});

}  // namespace
}  // namespace lmc::verify_command
