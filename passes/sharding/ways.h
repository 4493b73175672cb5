// Which rank computes what, decided before anything is changed: backwards from where something is needed, so
// that each rank makes what its own part of a sum needs and no more.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "passes/sharding/cut.h"
#include "passes/sharding/rules.h"

namespace lmc {

enum class Way : uint8_t {
  unused,    // by anything that is left
  whole,     // by every rank
  parts,     // each rank makes the parts that it needs itself
  gathered,  // likewise, and all ranks get all of it
  summed,    // a sum of virtual shards, each made by one rank
  mixed,     // the sum of what experts make, who are dealt out
};

// Of a value's columns, or of the heads of a value [T, heads, D] and of a cache.
struct Wanted {
  bool whole = false;          // somebody needs all of it
  std::vector<Stretch> parts;  // else: what each rank needs; empty: nobody needs it

  bool parts_only() const { return !whole && !parts.empty(); }
};

struct Ways {
  SideTable<OpId, Way> of;
  SideTable<ValueId, Wanted> wanted;
  SideTable<OpId, std::vector<Stretch>>
      cuts;                          // of gathered ops by rank, of sums and mixtures by virtual shard
  std::vector<std::string> remarks;  // what the rules would split and cannot be
};

Ways choose_ways(const Graph& g, const ShardStrategy& strategy, int64_t ranks);

// The split of a projection's result that is read by nothing else, or null: its parts are asked for apart.
const Op* only_split(const Graph& g, const Op& linear);
// What a contraction's input is rounded from, or the input.
ValueId unrounded(const Graph& g, ValueId x);
// What an attention reads for these columns of its result: heads, and the kv heads that they read. Whole
// groups of heads, unless they all read one.
struct HeadPieces {
  Stretch heads, kv_heads;
};
HeadPieces head_pieces(const Graph& g, const Op& attention, const Stretch& columns);
// Are both rows [T, heads, ..] of as many heads?
bool same_heads(const Type& a, const Type& b);
// Columns of a row of heads, as heads: those that have one of them.
Stretch heads_of(const Stretch& columns, int64_t dim);
// Heads of a value [T, heads, D] or of a cache, columns of others.
int64_t length_of(const Type& t);

}  // namespace lmc
