#include "tools/explore/price.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "codegen/layout.h"
#include "codegen/planner.h"
#include "codegen/split_attention.h"
#include "ir/op_def.h"
#include "ir/text.h"
#include "tools/files.h"

namespace lmc {
namespace {

bool reads_q8(const Graph& g, const Op& op) {
  return std::any_of(op.operands.begin(), op.operands.end(),
                     [&](ValueId v) { return is_quantised(g.type(v).dtype); });
}

// Ops in the order of the text, each with the line it begins on.
std::vector<std::pair<int, OpId>> lines_of(const Graph& g, const Graph& read_back) {
  const std::vector<OpId> order = topo_order(g);
  std::vector<std::pair<int, OpId>> out;
  for (size_t i = 0; i < order.size(); ++i)
    out.emplace_back(read_back.op(OpId{static_cast<uint32_t>(i)}).loc.line, order[i]);
  return out;
}

int number_of(KernelMap& map, std::map<std::string, int>& known, const std::string& label) {
  const auto [it, fresh] = known.emplace(label, static_cast<int>(map.labels.size()));
  if (fresh) {
    map.labels.push_back(label);
    map.calls.push_back(0);
  }
  return it->second;
}

}  // namespace

Peaks assumed_peaks() { return {20e9, {100e9, 100e9}}; }

std::vector<OpPrice> price_ops(const Graph& g, const std::vector<OpId>& ops, const Peaks& peaks) {
  const SideTable<ValueId, char> constant = weight_only(g);
  std::vector<OpPrice> out;
  for (OpId id : ops) {
    OpPrice p;
    const Op& op = g.op(id);
    if (!constant[op.results[0]]) {
      const Cost cost = op_cost(g, id);
      p = {cost.weight_bytes, cost.activation_bytes, cost.flops, 0};
      const double math = reads_q8(g, op) ? 2 * peaks.compute.int8_macs : peaks.compute.f32_flops;
      if (peaks.read > 0) p.seconds = cost.weight_bytes / peaks.read;
      if (math > 0) p.seconds = std::max(p.seconds, cost.flops / math);
    }
    out.push_back(p);
  }
  return out;
}

Measured read_profile(const std::string& path) {
  try {
    const auto j = nlohmann::json::parse(read_file(path));
    Measured m;
    const auto& peaks = j.at("peaks");
    m.peaks = {peaks.at("read_gb_s").get<double>() * 1e9,
               {peaks.at("int8_gmac_s").get<double>() * 1e9, peaks.at("f32_gflop_s").get<double>() * 1e9}};
    m.about = j.at("model").get<std::string>() + ", " + std::to_string(j.at("threads").get<int>()) +
              " threads, " + j.at("target").get<std::string>();
    for (const auto& k : j.at("decode").at("kernels")) {
      m.kernels.push_back({k.at("label"), k.at("us_per_call"), k.at("gb_s"), k.at("share_of_read_peak")});
    }
    return m;
  } catch (const nlohmann::json::exception& e) {
    throw Error(path + ": is no profile as lmc profile --json writes it: " + e.what());
  }
}

KernelMap kernels_of(const Graph& g) {
  constexpr int64_t kBlock = 64;  // of prompt tokens; decode kernels are the same for any
  KernelMap out{{}, {}, SideTable<OpId, int>(g.num_op_ids(), -1), 0, ""};
  try {
    Graph read_back = parse_graph(print_graph(g));  // so that every op knows its line …
    const std::vector<std::pair<int, OpId>> lines = lines_of(g, read_back);
    add_packing(read_back);
    const FlatGraph flat = split_attention(flatten(read_back));
    const PlannedStep step = plan_step(flat, plan_shared(flat.graph, kBlock), 1);
    out.stages = static_cast<int64_t>(step.stages.size());
    std::map<std::string, int> known;
    for (size_t s = 0; s < step.stages.size(); ++s) {
      const int kernel = number_of(out, known, label_for(step.plan.stages[s], 1, 1));
      ++out.calls[static_cast<size_t>(kernel)];
      for (OpId id : step.stages[s].all_ops()) {  // … and keeps it, within a group too
        const int line = step.stages[s].graph->op(id).loc.line;
        const auto behind = std::upper_bound(lines.begin(), lines.end(), line,
                                             [](int at, const auto& entry) { return at < entry.first; });
        if (line <= 0 || behind == lines.begin()) continue;
        int& of_op = out.kernel[std::prev(behind)->second];  // in several: the one it is the core of
        if (of_op < 0 || id == step.stages[s].core) of_op = kernel;
      }
    }
  } catch (const Error& e) {
    return {{}, {}, SideTable<OpId, int>(g.num_op_ids(), -1), 0, e.what()};
  }
  return out;
}

}  // namespace lmc
