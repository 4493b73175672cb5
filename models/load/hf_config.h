// Values of `config:` out of a config.json or a named size, else the family's defaults.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/language/definition.h"
#include "models/text/json_text.h"

namespace lmc {

// Where values are looked for: a named size, or config.json (its text part first), then the defaults.
struct ConfigSource {
  nlohmann::json outer = nlohmann::json::object();
  nlohmann::json inner = nlohmann::json::object();
  const ConfigMap* given = nullptr;  // a named size
  const ConfigMap* defaults = nullptr;
  std::string name;  // for messages

  struct Found {
    std::string path;
    ConfigValue value;
  };
  // The first of `paths` there is. Throws Error at `loc` if there is none.
  Found find(const std::vector<std::string>& paths, const Location& loc) const;
};

ConfigSource read_hf_config(const Definition& d, const std::string& path);  // of a config.json
// The values of config: and let:. Throws Error naming key and value for what the family does not support.
ConfigMap resolve_config(const Definition& d, const ConfigSource& source);

}  // namespace lmc
