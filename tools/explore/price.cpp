#include "tools/explore/price.h"

#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "codegen/codegen.h"
#include "ir/op_def.h"
#include "ir/stage_label.h"
#include "passes/lowering.h"
#include "tools/files.h"

namespace lmc {
namespace {

bool reads_q8(const Graph& g, const Op& op) {
  return std::any_of(op.operands.begin(), op.operands.end(),
                     [&](ValueId v) { return is_quantised(g.type(v).dtype); });
}

// By Op::source: the op at the top that it is, or is inside of.
std::vector<OpId> top_by_source(const Graph& g) {
  std::vector<OpId> out;
  const std::function<void(const Graph&, OpId)> count = [&](const Graph& part, OpId top) {
    for (OpId id : topo_order(part)) {
      out.push_back(top.valid() ? top : id);
      if (part.op(id).body) count(*part.op(id).body, out.back());
    }
  };
  count(g, {});
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
  KernelMap out{{}, {}, SideTable<OpId, int>(g.num_op_ids(), -1), 0, ""};
  try {
    PassOptions quiet;
    quiet.repro_path.clear();
    Graph numbered = g.clone();
    number_ops(numbered);
    const Plan plan = plan_only(lower(std::move(numbered), {}, quiet), {}).plan;
    out.stages = static_cast<int64_t>(plan.decode.stages.size());
    const std::vector<OpId> by_source = top_by_source(g);
    std::map<std::string, int> known;
    for (const PlanStage& stage : plan.decode.stages) {
      const int kernel = number_of(out, known, stage_label(stage.work, 1, 1));
      ++out.calls[static_cast<size_t>(kernel)];
      bool core = !stage.work.core.empty();
      for (const int32_t source : stage.work.ops) {
        int& of_op = out.kernel[by_source[static_cast<size_t>(source)]];
        if (of_op < 0 || core) of_op = kernel;  // in several: the one it is the core of
        core = false;
      }
    }
  } catch (const Error& e) {
    return {{}, {}, SideTable<OpId, int>(g.num_op_ids(), -1), 0, e.what()};
  }
  return out;
}

}  // namespace lmc
