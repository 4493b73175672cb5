// model.safetensors.index.json: which file of a checkpoint's folder holds which tensor.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace lmc {

// Tensor → file in the index's folder. Error naming the index: unreadable, or a file elsewhere.
std::map<std::string, std::string> read_shard_index(const std::string& path);

// The files alone, each once, by name.
std::vector<std::string> shards_of_index(const std::string& path);

}  // namespace lmc
