#include "models/language/builtin.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ir/error.h"
#include "ir/files.h"
#include "models/language/builtin_files.h"
#include "models/language/definition.h"
#include "models/text/json_text.h"

namespace lmc {
namespace {

std::string model_type(const std::string& config_path) {
  std::error_code ec;
  if (!std::filesystem::exists(config_path, ec))
    throw Error(config_path + ": cannot open; a checkpoint's folder has one");
  const nlohmann::json config = read_json(config_path);
  if (!config.is_object()) throw Error(config_path + ": is not a JSON object");
  const auto type = config.find("model_type");
  if (type == config.end() || !type->is_string())
    throw Error(config_path +
                ": has no text 'model_type'; name a model file and pass the folder with --weights");
  return *type;
}

}  // namespace

std::vector<std::string> builtin_names() {
  std::vector<std::string> out;
  for (const auto& [name, text] : builtin_files()) out.push_back(name);
  return out;
}

const std::string& builtin_text(const std::string& name) {
  const auto it = builtin_files().find(name);
  if (it != builtin_files().end()) return it->second;
  std::string known;
  for (const std::string& n : builtin_names()) known += (known.empty() ? "" : ", ") + n;
  throw Error(kBuiltin + name + ": there is no such model file; built in are " + known);
}

std::string builtin_for(const std::string& folder) {
  const std::string config_path = folder + "/config.json";
  const std::string wanted = model_type(config_path);
  std::string known;
  for (const std::string& name : builtin_names()) {
    for (const std::string& type : read_definition(kBuiltin + name).model_types) {
      if (type == wanted) return kBuiltin + name;
      known += (known.empty() ? "" : ", ") + type;
    }
  }
  throw Error(config_path + ": model_type is \"" + wanted + "\"; known are " + known +
              ". For another one write a model file (models/README.md) and pass the folder with --weights");
}

}  // namespace lmc
