#include "tools/pipeline/quant_flags.h"

#include "ir/block_format.h"
#include "ir/error.h"
#include "passes/quant_rules.h"
#include "tools/cli/console.h"

namespace lmc {
namespace {

// "blk.0.ffn_down.weight=q4_0,blk.0.ffn_up.weight=q8_0:Q5_K,…": a rule for each tensor that is quantised in
// the checkpoint.
std::string stored_formats(const Model& model) {
  std::string out;
  for (const ValueId w : model.graph.weights()) {
    const std::string& name = model.graph.value(w).name;
    const auto format = model.weights->type(name) ? model.weights->stored_format(name) : std::nullopt;
    if (!format) continue;
    out += (out.empty() ? "" : ",") + name + "=" + dtype_name(format->format);
    if (!format->from.empty()) out += ":" + format->from;
  }
  return out;
}

std::string check_rules(const std::string& rules) {
  if (rules == "auto") return "";
  try {
    QuantRules(rules, {}, 0);
    return "";
  } catch (const Error& e) {
    return e.what();
  }
}

}  // namespace

void QuantFlags::add_to(Flags& flags) {
  flags
      .option("--quant", format,
              "format of large projections: " + weight_format_names() +
                  ", or none; then PATTERN=FORMAT for roles and tensor names, the first that fits, as in "
                  "q8_0,ffn_*=q4_k,lm_head=none; or auto, for lmc compile to choose within --budget "
                  "(default: the model file's, or q8_0; a GGUF file's quantised "
                  "tensors stay as they are)")
      .check(check_rules, "RULES");
  flags
      .option("--quant-min-dim", min_dim,
              "quantise where max(in, out) reaches this (default: the model file's)")
      .not_negative();
}

void QuantFlags::apply(PassOptions& passes, const Model& model, const std::string& kv) const {
  if (automatic()) throw UsageError("--quant auto is for lmc compile, which can measure");
  const std::string rules = this->rules(model);
  const auto set = [&](const std::string& pass, const std::string& key, const std::string& value) {
    passes.settings[pass].emplace(key, value);  // what --set says comes first
  };
  set("quantize", "format", rules);
  set("quantize", "min_dim", std::to_string(min_dim >= 0 ? min_dim : model.quant_min_dim));
  if (model.weights) set("quantize", "stored", stored_formats(model));
  set("quantize", "prefer", format.empty() ? "stored" : "format");
  // Nothing is rounded when nothing is quantised.
  set("kv-format", "format", !kv.empty() ? kv : rules == "none" ? "f32" : "f16");
}

}  // namespace lmc
