#include "models/load/hf_config.h"

#include "models/load/model_parts.h"

namespace lmc {
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

}  // namespace

ConfigSource::Found ConfigSource::find(const std::vector<std::string>& paths, const Location& loc) const {
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

ConfigSource read_hf_config(const Definition& d, const std::string& path) {
  ConfigSource source;
  source.outer = read_json(path);
  if (!source.outer.is_object()) throw Error(path + ": is not a JSON object");
  if (!d.nested.empty() && source.outer.contains(d.nested)) source.inner = source.outer.at(d.nested);
  source.defaults = &d.defaults;
  source.name = path;
  return source;
}

ConfigMap resolve_config(const Definition& d, const ConfigSource& source) {
  ConfigMap out;
  for (const auto& [name, paths] : d.config) {
    const ConfigSource::Found found = source.find(paths, d.config_loc.at(name));
    check_supported(d, name, found.path, found.value, source.name);
    out[name] = found.value;
  }
  return with_values_of(source.name, [&] {
    evaluate_let(d, out);
    return out;
  });
}

}  // namespace lmc
