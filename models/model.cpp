#include "models/model.h"

#include <fnmatch.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "ir/op_def.h"
#include "models/builtin.h"
#include "models/checkpoint/hf_folder.h"
#include "models/checkpoint/random.h"
#include "models/expand.h"

namespace lmc {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

ConfigValue from_json(const json& j) {
  if (j.is_null()) return {};
  if (j.is_boolean()) return {int64_t{j.get<bool>()}};
  if (j.is_number_integer()) return {j.get<int64_t>()};
  if (j.is_number_float()) return {j.get<double>()};
  if (j.is_string()) return {j.get<std::string>()};
  if (j.is_array()) {
    std::vector<ConfigValue> items;
    for (const json& i : j) items.push_back(from_json(i));
    return {items};
  }
  return {};
}

// "rope_parameters.full_attention.rope_theta" → the value, if every step is there.
std::optional<ConfigValue> at_path(const json& config, const std::string& path) {
  const json* j = &config;
  size_t start = 0;
  while (true) {
    const size_t dot = path.find('.', start);
    const std::string key = path.substr(start, dot == std::string::npos ? dot : dot - start);
    if (!j->is_object() || !j->contains(key)) return std::nullopt;
    j = &j->at(key);
    if (dot == std::string::npos) return from_json(*j);
    start = dot + 1;
  }
}

json read_json(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw Error(path + ": cannot open");
  try {
    return json::parse(in);
  } catch (const json::exception& e) {
    throw Error(path + ": " + e.what());
  }
}

// Where values of the configuration are looked for: config.json (its text part first), then the defaults.
struct ConfigSource {
  json outer = json::object();
  json inner = json::object();
  const ConfigMap* given = nullptr;  // a named size
  const ConfigMap* defaults = nullptr;
  std::string name;  // for messages

  struct Found {
    std::string path;
    ConfigValue value;
  };
  Found find(const std::vector<std::string>& paths, const Location& loc) const {
    for (const std::string& p : paths) {
      if (given && given->contains(p)) return {p, given->at(p)};
      if (const auto v = at_path(inner, p)) return {p, *v};
      if (const auto v = at_path(outer, p)) return {p, *v};
    }
    for (const std::string& p : paths) {
      if (defaults->contains(p)) return {p, defaults->at(p)};
    }
    throw Error(loc, name + " has no '" + paths[0] + "', and there is no default for it");
  }
};

void check_supported(const Definition& d, const std::string& name, const ConfigSource::Found& found,
                     const std::string& source) {
  const auto s = d.supports.find(name);
  if (s == d.supports.end() || std::find(s->second.begin(), s->second.end(), found.value) != s->second.end())
    return;
  std::string known;
  for (const ConfigValue& v : s->second) known += (known.empty() ? "" : ", ") + v.str();
  throw Error(source + ": " + found.path + " is " + found.value.str() + "; " + d.file + " supports " + known);
}

// What goes wrong when expressions meet values may be the fault of either: the message names both files.
template <class F>
auto with_values_of(const std::string& source, const F& f) {
  try {
    return f();
  } catch (const Error& e) {
    Error named(std::string(e.what()) + ", with the values of " + source);
    named.location = e.location;
    throw named;
  }
}

ConfigMap resolve_config(const Definition& d, const ConfigSource& source) {
  ConfigMap out;
  for (const auto& [name, paths] : d.config) {
    const ConfigSource::Found found = source.find(paths, d.config_loc.at(name));
    check_supported(d, name, found, source.name);
    out[name] = found.value;
  }
  return with_values_of(source.name, [&] {
    for (const NamedExpr& e : d.let) out[e.name] = evaluate_expr(e.expr, out);
    return out;
  });
}

std::vector<int32_t> ids(const json& j) {
  std::vector<int32_t> out;
  if (j.is_number_integer()) out.push_back(j.get<int32_t>());
  if (j.is_array()) {
    for (const json& i : j) {
      if (i.is_number_integer()) out.push_back(i.get<int32_t>());
    }
  }
  return out;
}

int64_t choose_context(const Definition& d, const ConfigMap& config, int64_t wanted) {
  const int64_t most = whole(evaluate_expr(d.context, config), d.context.loc, "context");
  if (most < 1) throw Error(d.context.loc, "a context of " + std::to_string(most));
  if (wanted > most) {
    throw Error("--context " + std::to_string(wanted) + " is more than the " + std::to_string(most) +
                " positions this model has");
  }
  return wanted > 0 ? wanted : most;
}

// Norms that multiply by w start near 1, those that multiply by 1 + w near 0; everything else around 0.
double random_center(const Graph& g, ValueId w) {
  for (const Use& u : g.value(w).uses) {
    const Op& op = g.op(u.op);
    if (op.def->name == "rms_norm" && u.operand == 1) return 1 - attr_real(op, "offset");
    if (op.def->name == "layer_norm" && u.operand == 1) return 1;
  }
  return 0;
}

void use_folder(const Definition& d, const std::string& folder, const ModelOptions& options, Model& m) {
  ConfigSource source;
  source.outer = read_json(folder + "/config.json");
  if (!source.outer.is_object()) throw Error(folder + "/config.json: is not a JSON object");
  if (!d.nested.empty() && source.outer.contains(d.nested)) source.inner = source.outer.at(d.nested);
  source.defaults = &d.defaults;
  source.name = folder + "/config.json";
  const ConfigMap config = resolve_config(d, source);

  auto checkpoint = std::make_unique<HfFolder>(folder);
  const int64_t context = choose_context(d, config, options.context);
  Expanded e = with_values_of(source.name, [&] {
    return expand(
        d, config, [&](const std::string& name) { return checkpoint->type(name); }, std::nullopt, context);
  });
  for (const std::string& name : checkpoint->names()) {
    const bool ignored = std::any_of(d.ignore.begin(), d.ignore.end(), [&](const std::string& pattern) {
      return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
    });
    if (!e.used.contains(name) && !ignored) {
      throw Error(checkpoint->file_of(name) + ": tensor '" + name + "' " + checkpoint->shape_text(name) +
                  " is not used by " + d.file + "; list it under ignore: if that is right");
    }
  }
  m.tensors = static_cast<int64_t>(checkpoint->names().size());
  m.graph = std::move(e.graph);
  m.layers = e.layers;
  m.context = e.context;
  m.vocab = e.vocab;
  m.weights = std::move(checkpoint);
  m.folder = folder;
  m.source = folder;
  for (const json* j : {&source.outer, &source.inner}) {
    if (j->contains("eos_token_id")) m.eos_ids = ids(j->at("eos_token_id"));
    if (j->contains("bos_token_id")) m.bos_ids = ids(j->at("bos_token_id"));
  }
  if (const std::string path = folder + "/generation_config.json"; fs::exists(path)) {
    const json generation = read_json(path);
    if (generation.is_object() && generation.contains("eos_token_id"))
      m.eos_ids = ids(generation.at("eos_token_id"));
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
  const ConfigMap config = resolve_config(d, source);
  DType dtype = DType::bf16;
  if (const auto it = size->second.find("torch_dtype"); it != size->second.end()) {
    if (it->second == ConfigValue{std::string("float32")}) dtype = DType::f32;
    if (it->second == ConfigValue{std::string("float16")}) dtype = DType::f16;
  }
  Expanded e = expand(d, config, {}, dtype, choose_context(d, config, options.context));
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
  m.graph = std::move(e.graph);
  m.layers = e.layers;
  m.context = e.context;
  m.vocab = e.vocab;
}

std::string checkpoint_folder(const Definition& d, const ModelOptions& options) {
  std::error_code ec;
  if (!options.weights.empty()) {
    if (!fs::is_directory(options.weights, ec))
      throw Error("--weights " + options.weights + ": is not a folder");
    return options.weights;
  }
  if (d.checkpoint.empty())
    throw Error(d.file + ": names no checkpoint; pass --weights DIR or --weights random");
  const fs::path beside = fs::path(d.file).parent_path() / d.checkpoint;
  if (fs::is_directory(beside, ec)) return beside.lexically_normal().string();
  throw Error(d.checkpoint_loc, "checkpoint '" + d.checkpoint +
                                    "' is a hub id and not a folder here; pass --weights DIR (a " +
                                    "Hugging Face folder of it), or --weights random");
}

}  // namespace

Model load_model(const std::string& path, const ModelOptions& given) {
  ModelOptions options = given;
  std::string file = path;
  if (std::error_code ec; fs::is_directory(path, ec)) {
    if (!options.weights.empty())
      throw Error("--weights goes with a model file; " + path + " is a folder and brings its own");
    options.weights = path;
    file = builtin_for(path);
  }
  const Definition d = read_definition(file);
  Model m;
  m.family = d.family;
  m.quant_min_dim = d.quant_min_dim;
  m.example_prompt = d.example_prompt;
  if (options.weights == "random" || options.weights == "none") {
    use_made(d, options, m);
  } else {
    if (!options.size.empty())
      throw Error("--size goes with --weights random or none; a checkpoint has its own size");
    use_folder(d, checkpoint_folder(d, options), options, m);
  }
  for (ValueId w : m.graph.weights()) m.parameters += m.graph.type(w).elements();
  return m;
}

}  // namespace lmc
