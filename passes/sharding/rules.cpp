#include "passes/sharding/rules.h"

#include <algorithm>
#include <map>

#include "ir/error.h"

namespace lmc {
namespace {

std::map<std::string, ShardStrategy>& table() {
  static std::map<std::string, ShardStrategy> strategies;
  return strategies;
}

}  // namespace

const ShardRule* ShardStrategy::rule(const std::string& role) const {
  const auto it =
      std::find_if(rules.begin(), rules.end(), [&](const ShardRule& r) { return r.role == role; });
  return it == rules.end() ? nullptr : &*it;
}

bool ShardStrategy::by_layers() const {
  const ShardRule* layers = rule("layers");
  return layers && layers->split == Split::layers;
}

RegisterShardStrategy::RegisterShardStrategy(ShardStrategy strategy) {
  const std::string name = strategy.name;
  table()[name] = std::move(strategy);
}

const ShardStrategy& find_shard_strategy(const std::string& name) {
  const auto it = table().find(name);
  if (it != table().end()) return it->second;
  std::string list;
  for (const auto& [other, strategy] : table()) list += (list.empty() ? "" : ", ") + other;
  throw Error("shard.rules must be one of " + list + ", found '" + name + "'");
}

}  // namespace lmc
