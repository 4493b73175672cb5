#include "tools/pipeline/rank_prices.h"

#include <algorithm>

#include "codegen/codegen.h"
#include "ir/cost.h"
#include "passes/engine/ranks.h"

namespace lmc {
namespace {

// Of tensors the first rank and the last, which has what is over: those between are like them.
std::vector<int64_t> ranks_to_look_at(int64_t ranks, const std::string& split) {
  if (split == "tensor" && ranks > 1) return {0, ranks - 1};
  std::vector<int64_t> out;
  for (int64_t r = 0; r < ranks; ++r) out.push_back(r);
  return out;
}

template <class Item>
double bytes_of(const std::vector<Item>& items) {
  double out = 0;
  for (const Item& i : items) out += static_cast<double>(i.bytes);
  return out;
}

// What each of the ranks on a machine has of it while so many of all ranks are at work. The weights of all
// that are on the machine pass through the caches before those of one are read again.
MachineFigures share_of_machine(const RankPriceOptions& o, int64_t ranks, int64_t at_work) {
  MachineFigures m = o.machine;
  m.threads = o.threads_a_rank();
  m.read_all /= static_cast<double>(std::min(at_work, o.per_machine));
  m.read_one = std::min(m.read_one, m.read_all);
  const auto here = static_cast<double>(std::min(ranks, o.per_machine));
  for (size_t i = 0; i < m.from_memory.size(); ++i)
    m.from_memory[i] = part_from_memory(weights_of_part(i) * here, o.machine);
  return m;
}

// Adds what one rank takes.
void add_rank(RankPrice& out, const Plan& plan, const RankPriceOptions& o) {
  const bool in_turn = out.split == "layers";
  const int64_t texts = (out.texts + out.under_way - 1) / out.under_way;
  const StepShape step{texts, texts, o.position, texts};
  const StepPlan& steps = texts == 1 ? plan.decode : plan.prefill;
  const MachineFigures own = share_of_machine(o, out.ranks, in_turn ? out.under_way : out.ranks);
  const double compute = StepCost(steps, own).usual_step(step, own.threads);
  const StepTraffic sent = step_traffic(steps, step, o.network);
  out.compute = in_turn ? out.compute + compute : std::max(out.compute, compute);
  out.network = in_turn ? out.network + sent.seconds : std::max(out.network, sent.seconds);
  const double told = plan.rank == 0 ? o.network.message * static_cast<double>(out.ranks - 1) : 0;
  out.busiest = std::max(out.busiest, compute + sent.busy_seconds + told);
  out.collectives = std::max(out.collectives, sent.collectives);
  out.sent_bytes = std::max(out.sent_bytes, sent.all.sent);
  out.weight_bytes = std::max(out.weight_bytes, bytes_of(plan.weights));
  out.cache_bytes = std::max(out.cache_bytes, bytes_of(plan.caches));
  const StepPlan& prefill = plan.prefill.stages.empty() ? plan.decode : plan.prefill;
  out.block = prefill.max_tokens;
  const StepShape block{out.block, 0, o.position};
  const MachineFigures of_all = share_of_machine(o, out.ranks, out.ranks);
  const double of_block = StepCost(prefill, of_all).usual_step(block, of_all.threads) +
                          step_traffic(prefill, block, o.network).seconds;
  out.block_seconds = std::max(out.block_seconds, of_block);
}

}  // namespace

RankPrice price_of_ranks(const Graph& model, int64_t ranks, const std::string& split,
                         const RankPriceOptions& o) {
  RankPrice out;
  out.ranks = ranks;
  out.split = split;
  out.texts = o.texts;
  if (split == "layers") out.under_way = std::min(o.texts, ranks);
  PassOptions passes = o.passes;
  passes.settings["shard"]["rules"] = split;
  passes.trial = true;
  PassOptions trial;
  trial.trial = true;
  Graph g = model.clone();
  const RankPasses dealt = run_passes_for_ranks(g, passes, ranks, ranks_to_look_at(ranks, split));
  for (const Graph& own : dealt.graphs)
    add_rank(out, plan_only(lower(own.clone(), o.lowering, trial), {}).plan, o);
  out.network += announce_seconds(ranks, o.network);
  for (const PassReport& r : dealt.together) {
    if (r.pass == "shard") out.remarks = r.remarks;
  }
  return out;
}

}  // namespace lmc
