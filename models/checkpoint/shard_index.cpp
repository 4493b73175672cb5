#include "models/checkpoint/shard_index.h"

#include <set>

#include "ir/error.h"
#include "ir/printable.h"
#include "models/text/json_text.h"

namespace lmc {

std::map<std::string, std::string> read_shard_index(const std::string& path) {
  std::map<std::string, std::string> out;
  try {
    read_json(path).at("weight_map").get_to(out);
  } catch (const nlohmann::json::exception& e) {
    throw Error(path + ": " + e.what());
  }
  for (const auto& [tensor, shard] : out) {
    if (!is_printable_name(tensor))
      throw Error(path + ": the name '" + tensor + "' holds control characters");
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
