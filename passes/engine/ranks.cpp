#include "passes/engine/ranks.h"

#include <algorithm>
#include <numeric>

#include "passes/sharding/rank_graph.h"

namespace lmc {
namespace {

// Who watches the passes sees this step, too, which is none of them.
PassReport taken_out(int64_t rank, const Graph& all, const Graph& own) {
  PassReport out;
  out.pass = "rank " + std::to_string(rank);
  out.changed = true;
  out.summary = "what rank " + std::to_string(rank) + " computes, taken out of the graph of all ranks";
  out.ops_before = static_cast<int64_t>(all.ops().size());
  out.ops_after = static_cast<int64_t>(own.ops().size());
  return out;
}

}  // namespace

RankPasses run_passes_for_ranks(Graph& g, PassOptions options, int64_t ranks, std::vector<int64_t> wanted) {
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
  if (wanted.empty()) {
    wanted.resize(static_cast<size_t>(ranks));
    std::iota(wanted.begin(), wanted.end(), int64_t{0});
  }
  for (const int64_t r : wanted) {
    if (ranks > 1) options.dump_tag = "rank" + std::to_string(r);
    Graph own = rank_graph(g, r);
    if (options.after_pass) options.after_pass(taken_out(r, g, own), own);
    out.alone.push_back(run_passes(own, options));
    out.graphs.push_back(std::move(own));
  }
  return out;
}

}  // namespace lmc
