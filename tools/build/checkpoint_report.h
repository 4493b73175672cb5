// What lmc inspect says about a checkpoint before anything of it is loaded: its tensors, and the model it
// makes.
#pragma once

#include <string>

namespace lmc {

// Of a GGUF or safetensors file, a config.json or a folder with one: tensors, parameters, and memory at
// `context` positions (0: all the model has); `json`: as one JSON object.
void print_checkpoint(const std::string& path, int64_t context, bool json);

}  // namespace lmc
