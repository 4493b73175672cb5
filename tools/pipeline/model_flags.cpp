#include "tools/pipeline/model_flags.h"

#include <filesystem>

#include "ir/error.h"
#include "models/checkpoint/hf_folder.h"
#include "models/checkpoint/hub_cache.h"
#include "models/load/lora.h"
#include "models/load/packed_folder.h"

namespace lmc {

namespace {

std::string wrong_lora(const std::string& text) {
  try {
    parse_lora(text);
    return "";
  } catch (const Error& e) {
    return e.what();
  }
}

}  // namespace

void ModelFlags::add_to(Flags& flags) {
  flags
      .option("--weights", options.weights,
              "a Hugging Face folder, a GGUF file, a hub id, random or none (default: the model file's "
              "checkpoint)")
      .type_name("CHECKPOINT");
  flags.option("--size", options.size, "which size of random or no weights");
  flags.option("--seed", options.seed, "of random weights").shows_default();
  flags.option("-c,--context", options.context, "most positions of a sequence (default: what the model has)")
      .positive();
  flags
      .option(
          "--lora", options.lora,
          "a LoRA adapter in PEFT's layout to merge, FOLDER or FILE, with =SCALE if it shall count less or "
          "more; repeatable")
      .check([](const std::string& text) { return wrong_lora(text); }, "FOLDER")
      .one_value_each();
  quant.add_to(flags);
  flags.option("--kv", kv, "format of the KV cache (default: f16, f32 with --quant=none)")
      .one_of({"f16", "f32", "q8_0"});
}

void ModelFlags::apply(PassOptions& passes, const Model& model) const {
  quant.apply(passes, model, kv);
  // Random weights are as good as the gate's own, and those can be had again from the IR alone.
  if (model.folder.empty()) return;
  passes.weights = model.weights.get();
  passes.replay_flags.insert(passes.replay_flags.end(),
                             {"--weights", std::filesystem::absolute(model.folder).string()});
}

std::unique_ptr<WeightSource> checkpoint_weights(const std::string& folder, PassOptions& passes) {
  if (folder.empty()) return nullptr;
  const std::string found = local_checkpoint(folder);
  auto weights = std::make_unique<PackedFolder>(found);
  passes.weights = weights.get();
  passes.replay_flags.insert(passes.replay_flags.end(), {"--weights", found});
  return weights;
}

}  // namespace lmc
