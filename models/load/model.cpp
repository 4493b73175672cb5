#include "models/load/model.h"

#include <fnmatch.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "ir/op_def.h"
#include "models/checkpoint/hub_cache.h"
#include "models/checkpoint/path_kind.h"
#include "models/checkpoint/random.h"
#include "models/language/builtin.h"
#include "models/load/find_model.h"
#include "models/load/generation_config.h"
#include "models/load/gguf_import.h"
#include "models/load/hf_config.h"
#include "models/load/lora.h"
#include "models/load/model_parts.h"
#include "models/load/packed_folder.h"
#include "models/load/token_ids.h"
#include "models/tokenizer/tokenizer.h"

namespace lmc {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

// Norms that multiply by w start near 1, those that multiply by 1 + w near 0; everything else around 0.
double random_center(const Graph& g, ValueId w) {
  for (const Use& u : g.value(w).uses) {
    const Op& op = g.op(u.op);
    if (op.def->name == "rms_norm" && u.operand == 1) return 1 - attr_real(op, "offset");
    if (op.def->name == "layer_norm" && u.operand == 1) return 1;
  }
  return 0;
}

// "float32" in quotes, as both ConfigValue and JSON print it. Most checkpoints are in BF16.
DType dtype_named(const std::string& name) {
  return name == "\"float32\"" ? DType::f32 : name == "\"float16\"" ? DType::f16 : DType::bf16;
}

bool may_stay_unused(const Definition& d, const ConfigMap& config, const std::string& name) {
  return std::any_of(
             d.ignore.begin(), d.ignore.end(),
             [&](const std::string& pattern) { return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0; }) ||
         std::any_of(d.prefixes.begin(), d.prefixes.end(), [&](const std::string& prefix) {
           return is_of_later_layer(d, config, name, prefix + d.layer_prefix);
         });
}

void use_folder(const Definition& d, const std::string& folder, const ModelOptions& options, Model& m) {
  const ConfigSource source = read_hf_config(d, folder + "/config.json");
  ConfigMap config = resolve_config(d, source);

  auto checkpoint = std::make_unique<PackedFolder>(folder);
  const int64_t context = choose_context(d, config, options.context);
  Expanded e = with_values_of(source.name, [&] {
    return expand(
        d, config, [&](const std::string& name) { return checkpoint->type(name); }, std::nullopt, context);
  });
  for (const std::string& name : checkpoint->names()) {
    if (!e.used.contains(name) && !may_stay_unused(d, config, name)) {
      throw Error(checkpoint->file_of(name) + ": tensor '" + name + "' " + checkpoint->shape_text(name) +
                  " is not used by " + d.file + "; list it under ignore: if that is right");
    }
  }
  m.tensors = static_cast<int64_t>(checkpoint->names().size());
  take_over(std::move(e), std::move(config), m);
  m.weights = std::move(checkpoint);
  m.folder = folder;
  m.tokenizer = Tokenizer::find_in(folder);
  m.source = folder;
  for (const json* j : {&source.outer, &source.inner}) {
    if (j->contains("eos_token_id"))
      m.eos_ids = token_ids_in(j->at("eos_token_id"), source.name + ": eos_token_id");
    if (j->contains("bos_token_id"))
      m.bos_ids = token_ids_in(j->at("bos_token_id"), source.name + ": bos_token_id");
  }
  if (const std::string path = folder + "/generation_config.json"; fs::exists(path)) {
    GenerationConfig generation = read_generation_config(path);
    if (generation.eos_ids) m.eos_ids = *generation.eos_ids;
    m.sampling = std::move(generation.sampling);
  }
}

void use_made(const Definition& d, const ModelOptions& options, Model& m) {
  if (d.sizes.empty())
    throw Error(d.file + ": has no sizes:, so only real checkpoints can be compiled; pass --weights DIR");
  auto size = d.sizes.begin();
  if (!options.size.empty()) {
    size =
        std::find_if(d.sizes.begin(), d.sizes.end(), [&](const auto& s) { return s.first == options.size; });
    if (size == d.sizes.end()) {
      std::string known;
      for (const auto& s : d.sizes) known += (known.empty() ? "" : ", ") + s.first;
      throw Error("--size " + options.size + ": " + d.file + " has " + known);
    }
  }
  ConfigSource source;
  source.given = &size->second;
  source.defaults = &d.defaults;
  source.name = "size " + size->first;
  ConfigMap config = resolve_config(d, source);
  const auto it = size->second.find("torch_dtype");
  const std::string dtype = it == size->second.end() ? "" : it->second.str();
  Expanded e = expand(d, config, {}, dtype_named(dtype), choose_context(d, config, options.context));
  if (options.weights == "random") {
    auto random = std::make_unique<RandomWeights>(options.seed);
    for (ValueId w : e.graph.weights())
      random->declare(e.graph.value(w).name, e.graph.type(w), random_center(e.graph, w));
    m.weights = std::move(random);
    m.source = "random weights, size " + size->first + ", seed " + std::to_string(options.seed);
  } else {
    m.source = "no weights, size " + size->first;
  }
  m.tensors = static_cast<int64_t>(e.used.size());
  take_over(std::move(e), std::move(config), m);
}

// A config.json by itself: shapes, but no weights.
void use_config(const Definition& d, const std::string& path, const ModelOptions& options, Model& m) {
  const ConfigSource source = read_hf_config(d, path);
  ConfigMap config = resolve_config(d, source);
  std::string dtype;
  for (const json* j : {&source.outer, &source.inner}) {
    for (const char* key : {"torch_dtype", "dtype"}) {
      if (j->contains(key)) dtype = j->at(key).dump();
    }
  }
  Expanded e = with_values_of(path, [&] {
    return expand(d, config, {}, dtype_named(dtype), choose_context(d, config, options.context));
  });
  m.source = path;
  m.tensors = static_cast<int64_t>(e.used.size());
  take_over(std::move(e), std::move(config), m);
}

std::string checkpoint_folder(const Definition& d, const ModelOptions& options) {
  std::error_code ec;
  if (!options.weights.empty()) {
    if (!fs::is_directory(options.weights, ec))
      throw Error("--weights " + options.weights + ": is not a folder, not a GGUF file and not a hub id");
    return options.weights;
  }
  if (d.checkpoint.empty())
    throw Error(d.file + ": names no checkpoint; pass --weights DIR or --weights random");
  const fs::path beside = fs::path(d.file).parent_path() / d.checkpoint;
  if (fs::is_directory(beside, ec)) return beside.lexically_normal().string();
  const auto id = parse_hub_id(d.checkpoint);
  if (!id) {
    throw Error(d.checkpoint_loc, "checkpoint '" + d.checkpoint +
                                      "' is neither a folder beside this file nor a hub id (ORG/NAME)");
  }
  try {
    return hub_snapshot(*id);
  } catch (const Error& e) {
    throw Error(d.checkpoint_loc, std::string(e.what()) + "; or pass --weights DIR, or --weights random");
  }
}

}  // namespace

int64_t choose_context(const Definition& d, const ConfigMap& config, int64_t wanted) {
  const int64_t most = whole(evaluate_expr(d.context, config), d.context.loc, "context");
  if (most < 1) throw Error(d.context.loc, "a context of " + std::to_string(most));
  if (wanted > most) {
    throw Error("--context " + std::to_string(wanted) + " is more than the " + std::to_string(most) +
                " positions this model has");
  }
  return wanted > 0 ? wanted : most;
}

void evaluate_let(const Definition& d, ConfigMap& config) {
  Budget steps = expression_steps(1'000'000);
  for (const NamedExpr& e : d.let) config[e.name] = evaluate_expr(e.expr, config, steps);
}

void take_over(Expanded&& e, ConfigMap&& config, Model& m) {
  m.tensor_names = std::move(e.used);
  m.config = std::move(config);
  m.graph = std::move(e.graph);
  m.layers = e.layers;
  m.context = e.context;
  m.vocab = e.vocab;
}

namespace {

// The model file for `given`; if that is a checkpoint, it becomes the weights.
std::string model_file(const std::string& given, ModelOptions& options) {
  const std::string path = find_model_file(local_checkpoint(given), shared_models());
  const PathKind kind = path_kind(path);
  const bool folder = kind == PathKind::checkpoint || kind == PathKind::bundle || kind == PathKind::folder;
  if (!folder && kind != PathKind::config && kind != PathKind::gguf) return path;
  if (!options.weights.empty()) {
    throw Error("--weights goes with a model file; " + path + " is a " + (folder ? "folder" : "checkpoint") +
                " and brings its own");
  }
  options.weights = path;
  if (kind == PathKind::gguf) return builtin_for_gguf(GgufFile(path));
  const fs::path beside = fs::path(path).parent_path();
  return builtin_for(folder ? path : beside.empty() ? "." : beside.string());
}

}  // namespace

Model load_model(const std::string& path, const ModelOptions& given) {
  ModelOptions options = given;
  if (!options.weights.empty()) options.weights = local_checkpoint(options.weights);
  const std::string file = model_file(path, options);
  Model m;
  m.definition = std::make_shared<const Definition>(read_definition(file));
  const Definition& d = *m.definition;
  m.family = d.family;
  m.quant_min_dim = d.quant_min_dim;
  m.quant_format = d.quant_format;
  m.example_prompt = d.example_prompt;
  if (options.weights == "random" || options.weights == "none") {
    use_made(d, options, m);
  } else {
    if (!options.size.empty())
      throw Error("--size goes with --weights random or none; a checkpoint has its own size");
    const PathKind kind = path_kind(options.weights);
    if (kind == PathKind::config) {
      use_config(d, options.weights, options, m);
    } else if (kind == PathKind::gguf) {
      use_gguf(d, options.weights, options, m);
    } else {
      use_folder(d, checkpoint_folder(d, options), options, m);
    }
  }
  merge_adapters(options.lora, m);
  for (ValueId w : m.graph.weights()) m.parameters += m.graph.type(w).elements();
  return m;
}

}  // namespace lmc
