// The model files compiled into this library, so that a checkpoint's folder is enough to compile it.
#pragma once

#include <string>
#include <vector>

namespace lmc {

// In front of a name, where a path is expected: "builtin:llama.yaml".
inline const std::string kBuiltin = "builtin:";

std::vector<std::string> builtin_names();  // "falcon.yaml", …, by name
// Throws Error if there is none of that name.
const std::string& builtin_text(const std::string& name);

// The built-in model file for a checkpoint's folder, by the model_type in its config.json:
// "builtin:llama.yaml". Throws Error if there is none.
std::string builtin_for(const std::string& folder);

}  // namespace lmc
