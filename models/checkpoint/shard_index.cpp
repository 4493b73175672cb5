#include "models/checkpoint/shard_index.h"

#include <nlohmann/json.hpp>
#include <set>

#include "ir/error.h"
#include "ir/files.h"

namespace lmc {

std::map<std::string, std::string> read_shard_index(const std::string& path) {
  std::map<std::string, std::string> out;
  try {
    nlohmann::json::parse(read_file(path)).at("weight_map").get_to(out);
  } catch (const nlohmann::json::exception& e) {
    throw Error(path + ": " + e.what());
  }
  for (const auto& [tensor, shard] : out) {
    if (shard.empty() || shard.find('/') != shard.npos)
      throw Error(path + ": shard '" + shard + "' lies outside the folder");
  }
  return out;
}

std::vector<std::string> shards_of_index(const std::string& path) {
  std::set<std::string> out;
  for (const auto& [tensor, shard] : read_shard_index(path)) out.insert(shard);
  return {out.begin(), out.end()};
}

}  // namespace lmc
