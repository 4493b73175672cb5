#include "codegen/lowering/planner.h"

#include <algorithm>
#include <map>
#include <set>

#include "codegen/family.h"
#include "codegen/frame.h"
#include "codegen/layout.h"
#include "codegen/lowering/kernel_of_group.h"
#include "codegen/packed_form.h"
#include "ir/effects.h"
#include "ir/graph_algorithms.h"
#include "ir/kernel_abi.h"
#include "ir/op_def.h"
#include "ir/schedule_check.h"

namespace lmc {
namespace {

class StepPlanner {
 public:
  StepPlanner(const Graph& g, const SharedPlan& shared, int64_t max_tokens, int64_t block)
      : g_(g), shared_(shared), max_tokens_(max_tokens), groups_(g, block) {
    for (size_t i = 0; i < shared.weights.size(); ++i) weights_[shared.weights[i].name] = i;
    if (g.outputs().empty()) throw Error("graph @" + g.name + " has no output");
    if (groups_.is_weight(groups_.logits()) || !g.def_op(groups_.logits()))
      throw Error("the first output of graph @" + g.name + " must be computed by an op");
  }

  PlannedStep run() {
    out_.plan.max_tokens = max_tokens_;
    out_.plan.max_rows = max_tokens_;
    for (OpId id : run_order(g_)) {
      if (!groups_.is_weight(g_.result(id))) add_stage(id);
    }
    dependencies();
    out_.plan.arena_bytes = place_buffers(out_.plan.buffers, buffer_users_, out_.plan.stages);
    for (PlanStage& s : out_.plan.stages) {
      for (PlanOperand& o : s.operands) {
        if (o.space == Space::arena) o.offset = out_.plan.buffers[static_cast<size_t>(o.buffer)].offset;
      }
    }
    if (const std::vector<std::string> problems = check_schedule(out_.plan); !problems.empty())
      throw Error("graph @" + g_.name + ": " + problems[0]);
    return std::move(out_);
  }

 private:
  void add_stage(OpId id) {
    const auto index = static_cast<int32_t>(out_.plan.stages.size());
    stage_of_[id] = index;
    GroupKernel kernel = groups_.of(id);
    const KernelFamily& family = find_family(kernel.spec.family);
    family.check(kernel.spec);
    PlanStage stage;
    stage.scope = g_.op(id).scope;
    stage.tiles = kernel.spec.tiles;
    for (size_t i = 0; i < kernel.values.size(); ++i)
      stage.operands.push_back(operand(kernel.spec.operands[i], kernel.values[i], index));
    for (const int o : kernel.spec.outputs) stage.operands[static_cast<size_t>(o)].written = true;
    if (chosen_from(id) && family.can_pick(kernel.spec)) {
      kernel.spec.logits = true;
      out_.plan.argmax_stage = index;
    }
    stage.work = work_of(kernel.spec);
    stage.gather = family.gather(kernel.spec);
    if (stage.gather) collectives_.push_back(id);
    count_weights(stage, kernel.spec, family);
    const KernelMemory memory = family.memory(kernel.spec);
    out_.plan.scratch_bytes = std::max(out_.plan.scratch_bytes, memory.scratch + kReadPastEnd);
    out_.plan.kept_bytes = std::max(out_.plan.kept_bytes, memory.kept);
    out_.plan.stages.push_back(std::move(stage));
    out_.kernels.push_back(std::move(kernel.spec));
  }

  PlanOperand operand(const KernelOperand& from, ValueId v, int32_t stage) {
    PlanOperand o;
    o.space = from.space;
    switch (from.space) {
      case Space::weight:
        o.index = static_cast<int64_t>(weights_.at(g_.value(packed_weight(g_, v)).name));
        o.bytes = shared_.weights[static_cast<size_t>(o.index)].bytes;
        break;
      case Space::kv:
        o.index = groups_.cache_index(v);
        o.bytes = shared_.caches[static_cast<size_t>(o.index)].bytes;
        break;
      case Space::input:
        o.index = static_cast<int64_t>(step_input(g_, v));
        o.bytes = max_tokens_ * 4;
        break;
      case Space::output:
        o.bytes = from.stride * max_tokens_;
        break;
      case Space::arena:
        o.buffer = buffer(v, stage);
        o.bytes = out_.plan.buffers[static_cast<size_t>(o.buffer)].bytes;
        break;
    }
    return o;
  }

  // The first stage that asks for it is the one that writes it.
  int64_t buffer(ValueId v, int32_t stage) {
    const auto [it, fresh] = buffer_of_.emplace(v, static_cast<int64_t>(out_.plan.buffers.size()));
    if (fresh) {
      out_.plan.buffers.push_back({g_.value(v).name, row_bytes(g_.type(v)) * max_tokens_, 0});
      buffer_users_.emplace_back();
    }
    auto& users = buffer_users_[static_cast<size_t>(it->second)];
    if (std::find(users.begin(), users.end(), stage) == users.end()) users.push_back(stage);
    return it->second;
  }

  // A step may want no more than the largest logit, or some, if nothing else reads them: of a rank's part of
  // them, if all that is done with it is to gather them.
  bool chosen_from(OpId id) const {
    const Value& logits = g_.value(groups_.logits());
    if (!logits.uses.empty()) return false;
    if (logits.def == id) return true;
    const Op& last = g_.op(logits.def);
    const Value& y = g_.value(g_.result(id));
    return attr_string(last, "kernel") == "all_gather" && y.uses.size() == 1 && y.uses[0].op == logits.def &&
           y.returned == 0;
  }

  static void count_weights(PlanStage& stage, const KernelSpec& spec, const KernelFamily& family) {
    const OpId core = family.core_of(spec.body);
    if (!core.valid()) return;
    const std::vector<ValueId> inputs = spec.body.inputs();
    for (ValueId v : spec.body.op(core).operands) {
      const auto input = std::find(inputs.begin(), inputs.end(), v);
      if (input == inputs.end()) continue;
      const auto operand = static_cast<size_t>(spec.inputs[static_cast<size_t>(input - inputs.begin())]);
      const PlanOperand& o = stage.operands[operand];
      if (o.space != Space::weight) continue;
      stage.work.weight_bytes += static_cast<double>(o.bytes) *
                                 share_read(spec.operands[operand].layout, spec.body.type(v)) *
                                 family.share_of_weights(spec);
    }
  }

  // A stage waits for those that make what it reads, and a writer for the readers of what it changes in
  // place.
  void dependencies() {
    std::vector<std::vector<int>> successors(out_.plan.stages.size());
    const auto add = [&](OpId before, OpId after) {
      successors[static_cast<size_t>(stage_of_[before])].push_back(stage_of_[after]);
    };
    for (OpId id : g_.ops()) {
      if (groups_.is_weight(g_.result(id))) continue;
      for (ValueId v : g_.op(id).operands) {
        if (g_.def_op(v) && !groups_.is_weight(v)) add(g_.value(v).def, id);
      }
    }
    for (const Before& b : order_by_effects(g_)) add(b.first, b.then);
    // All ranks send in one order, or two could wait for each other.
    for (size_t i = 1; i < collectives_.size(); ++i) add(collectives_[i - 1], collectives_[i]);
    const auto reduced = transitive_reduction(successors);
    for (size_t i = 0; i < reduced.size(); ++i) {
      for (int j : reduced[i])
        out_.plan.stages[static_cast<size_t>(j)].deps.push_back(static_cast<int32_t>(i));
    }
    for (PlanStage& s : out_.plan.stages) std::sort(s.deps.begin(), s.deps.end());
  }

  const Graph& g_;
  const SharedPlan& shared_;
  const int64_t max_tokens_;
  const GroupKernels groups_;
  std::map<std::string, size_t> weights_;
  SideTable<OpId, int32_t> stage_of_{0, -1};
  std::vector<OpId> collectives_;  // in the order they run
  std::map<ValueId, int64_t> buffer_of_;
  std::vector<std::vector<int32_t>> buffer_users_;
  PlannedStep out_;
};

}  // namespace

SharedPlan plan_shared(const Lowered& lowered) {
  SharedPlan out;
  const Graph& g = lowered.model;
  for (OpId id : g.ops()) {
    const Op& op = g.op(id);
    if (op.def->name != "pack") continue;
    const ValueId v = op.results[0];
    const std::string& layout = attr_string(op, "layout");
    out.packs.push_back(v);
    out.weights.push_back({g.value(v).name, layout, g.type(v), packed_bytes(layout, g.type(v))});
  }
  out.caches = GroupKernels(lowered.prefill, lowered.block).caches();
  return out;
}

PlannedStep plan_step(const Graph& lowered, const SharedPlan& shared, int64_t max_tokens, int64_t block) {
  return StepPlanner(lowered, shared, max_tokens, block).run();
}

}  // namespace lmc
