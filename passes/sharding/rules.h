// How a model is dealt out to ranks: rules as data, one for each role. A strategy is a file of them
// (tensor.cpp); adding one touches nothing else.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lmc {

enum class Split : uint8_t {
  rows,     // of the weight: each rank has some of the outputs (heads, neurons, ids of the vocabulary)
  columns,  // each rank has some of the inputs, and the partial sums are gathered and added
  layers,   // whole ones, each by one rank
  experts,  // whole ones of a mixture; each rank adds up what its own make, and these sums are added
};

struct ShardRule {
  // Of a projection; "embedding" for tables of token embeddings, "experts" for those of mixtures, "layers"
  // for all of them.
  std::string role;
  Split split;
};

// What no rule names is replicated: every rank has all of it.
struct ShardStrategy {
  std::string name, doc;
  std::vector<ShardRule> rules;

  const ShardRule* rule(const std::string& role) const;  // null: replicated
  bool by_layers() const;
};

struct RegisterShardStrategy {
  explicit RegisterShardStrategy(ShardStrategy strategy);
};

const ShardStrategy& find_shard_strategy(const std::string& name);  // Error naming those there are

}  // namespace lmc
