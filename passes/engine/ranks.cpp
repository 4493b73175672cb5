#include "passes/engine/ranks.h"

#include <algorithm>

#include "passes/sharding/rank_graph.h"

namespace lmc {

RankPasses run_passes_for_ranks(Graph& g, PassOptions options, int64_t ranks) {
  options.settings["shard"]["ranks"] = std::to_string(ranks);
  options.enabled.insert("shard");
  options.disabled.erase("shard");
  std::vector<std::string> names;
  for (const Pass* p : pipeline(options)) names.push_back(p->name());
  const auto behind = std::find(names.begin(), names.end(), "shard") + 1;
  options.enabled.clear();
  options.only = {names.begin(), behind};
  RankPasses out;
  out.together = run_passes(g, options);
  options.only = {behind, names.end()};
  options.passes_before += static_cast<int>(out.together.size());
  for (int64_t r = 0; r < ranks; ++r) {
    if (ranks > 1) options.dump_tag = "rank" + std::to_string(r);
    Graph own = rank_graph(g, r);
    out.alone.push_back(run_passes(own, options));
    out.graphs.push_back(std::move(own));
  }
  return out;
}

}  // namespace lmc
