#include "passes/engine/lowering.h"

#include <algorithm>
#include <utility>

#include "passes/engine/hidden_states.h"

namespace lmc {
namespace {

bool is_of_one_token(const std::string& step) { return step == "decode" || step == "draft"; }

class Lowering {
 public:
  Lowering(PassOptions options, std::vector<PassReport>* reports)
      : options_(std::move(options)), reports_(reports) {
    options_.only.reset();
    options_.limit = INT64_MAX;
  }

  void stop_watching() { options_.after_pass = nullptr; }
  void model(Graph& g) { run(g, PassPhase::lower_model); }

  Graph step(const Graph& model, const std::string& name, int64_t most_tokens) {
    Graph g = model.clone();
    set_step(options_, name, most_tokens);
    options_.dump_tag = name;
    if (is_of_one_token(name)) options_.check_tokens = {1};
    run(g, PassPhase::lower_step);
    options_.check_tokens = PassOptions().check_tokens;
    return g;
  }

 private:
  void run(Graph& g, PassPhase phase) {
    options_.phase = phase;
    const std::vector<PassReport> done = run_passes(g, options_);
    options_.passes_before += static_cast<int>(done.size());
    if (reports_) reports_->insert(reports_->end(), done.begin(), done.end());
  }

  PassOptions options_;
  std::vector<PassReport>* reports_;
};

bool numbered(const Graph& g) {
  const std::vector<OpId> ops = g.ops();
  return std::any_of(ops.begin(), ops.end(), [&](OpId id) { return g.op(id).source >= 0; });
}

// What lowering tells its passes is not for anyone else to say.
void refuse_own_settings(const PassOptions& options) {
  static const std::pair<const char*, const char*> kOwn[] = {{"choose-layouts", "target"},
                                                             {"read-high-nibbles", "draft"},
                                                             {"specialise", "tokens"},
                                                             {"form-kernels", "tokens"}};
  for (const auto& [pass, key] : kOwn) {
    const auto set = options.settings.find(pass);
    if (set != options.settings.end() && set->second.contains(key))
      throw Error(std::string(pass) + "." + key +
                  " is set for each step when a model is compiled (--target, --block, --self-draft)");
  }
}

}  // namespace

void set_step(PassOptions& options, const std::string& name, int64_t most_tokens) {
  options.settings["read-high-nibbles"]["draft"] = name == "draft" ? "1" : "0";
  options.settings["specialise"]["tokens"] = is_of_one_token(name) ? "1" : "T";
  options.settings["form-kernels"]["tokens"] = std::to_string(most_tokens);
}

Lowered lower(Graph model, const LoweringOptions& wanted, PassOptions options,
              std::vector<PassReport>* reports) {
  refuse_own_settings(options);
  options.settings["choose-layouts"]["target"] = wanted.target;
  if (wanted.draft) options.settings["choose-layouts"]["kind"] = "planes";
  Lowering lowering(std::move(options), reports);
  Lowered out;
  out.block = wanted.block;
  out.target = wanted.target;
  lowering.model(model);
  if (!numbered(model)) number_ops(model);
  out.decode = lowering.step(model, "decode", 1);
  lowering.stop_watching();
  out.prefill = lowering.step(model, "prefill", wanted.block);
  if (wanted.hidden) {
    if (const std::optional<Graph> states = hidden_states(model))
      out.hidden = lowering.step(*states, "hidden", wanted.block);
  }
  if (wanted.draft) out.draft = lowering.step(model, "draft", 1);
  out.model = std::move(model);
  return out;
}

}  // namespace lmc
