#include "codegen/partition.h"

#include <algorithm>
#include <set>

#include "codegen/kernels/row_kernel.h"
#include "ir/op_def.h"

namespace lmc {
namespace {

bool is_core(const Op& op) {
  return op.def->shape == OpShape::contraction || op.def->shape == OpShape::attention;
}

class Partitioner {
 public:
  explicit Partitioner(const FlatGraph& flat) : flat_(flat), g_(flat.graph), weight_only_(weight_only(g_)) {}

  std::vector<Stage> run() {
    std::vector<OpId> cluster;
    for (OpId id : g_.ops()) {
      const Op& op = g_.op(id);
      if (weight_only_[op.results[0]] || op.def->shape == OpShape::view) continue;
      if (!cluster.empty() && flat_.cluster[cluster[0]] != flat_.cluster[id]) {
        place(cluster);
        cluster.clear();
      }
      cluster.push_back(id);
    }
    if (!cluster.empty()) place(cluster);
    close_row();
    return std::move(stages_);
  }

 private:
  // One group (or a single op): prologue, core with epilogue, final rows.
  void place(const std::vector<OpId>& cluster) {
    OpId core;
    for (OpId id : cluster) {
      if (!is_core(g_.op(id))) continue;
      if (core.valid()) {
        throw Error(g_.op(id).loc, "group '" + flat_.group[id] + "' holds two contractions (" +
                                       describe(core) + " and " + describe(id) +
                                       "); one kernel can hold one");
      }
      core = id;
    }
    if (!core.valid()) {
      for (OpId id : cluster) add_row(id);
      return;
    }
    const std::set<uint32_t> behind = dependents(core, cluster);
    for (OpId id : cluster) {
      if (id != core && !behind.contains(id.v)) add_row(id);
    }
    close_row();
    Stage stage;
    stage.kind = g_.op(core).def->shape == OpShape::contraction ? StageKind::linear : StageKind::attention;
    stage.graph = &g_;
    stage.core = core;
    stage.over_rows = g_.type(g_.result(core)).dims[0] == kDimR;
    stage.ops.push_back(core);
    std::set<uint32_t> inside{core.v};
    std::vector<OpId> later;
    for (OpId id : cluster) {
      if (!behind.contains(id.v)) continue;
      if (stage.kind == StageKind::linear && fits_epilogue(id, core, inside, behind)) {
        stage.ops.push_back(id);
        inside.insert(id.v);
      } else {
        later.push_back(id);
      }
    }
    stages_.push_back(std::move(stage));
    for (OpId id : later) add_row(id);
  }

  std::string describe(OpId id) const {
    const Op& op = g_.op(id);
    return op.def->name + " %" + g_.value(op.results[0]).name;
  }

  // Ops of the cluster that need the core's result, also through views.
  std::set<uint32_t> dependents(OpId core, const std::vector<OpId>& cluster) const {
    std::set<uint32_t> reached{core.v};
    for (OpId id : g_.ops()) {
      if (id.v <= core.v || id.v > cluster.back().v) continue;
      for (ValueId v : g_.op(id).operands) {
        if (g_.def_op(v) && reached.contains(g_.value(v).def.v)) reached.insert(id.v);
      }
    }
    reached.erase(core.v);
    return reached;
  }

  // Elementwise over exactly the core's outputs, with every other operand ready before the core runs.
  bool fits_epilogue(OpId id, OpId core, const std::set<uint32_t>& inside,
                     const std::set<uint32_t>& behind) const {
    const Op& op = g_.op(id);
    const Type& out = g_.type(g_.result(core));
    if (op.def->shape != OpShape::elementwise || g_.type(op.results[0]) != out) return false;
    return std::all_of(op.operands.begin(), op.operands.end(), [&](ValueId v) {
      const bool computed = g_.def_op(v) && behind.contains(g_.value(v).def.v);
      if (computed) return inside.contains(g_.value(v).def.v);
      const bool core_result = g_.def_op(v) && g_.value(v).def == core;
      return core_result || g_.type(v) == out || g_.type(v).rank() == 1;
    });
  }

  void add_row(OpId id) {
    const Op& op = g_.op(id);
    if (find_row_op(op.def->name) == nullptr)
      throw Error(op.loc, "there is no kernel for op " + op.def->name);
    const Type& t = g_.type(op.results[0]);
    const bool over_rows = !t.dims.empty() && t.dims[0] == kDimR;
    if (!row_.ops.empty() && row_.over_rows != over_rows) close_row();
    row_.over_rows = over_rows;
    row_.graph = &g_;
    row_.ops.push_back(id);
  }

  void close_row() {
    if (!row_.ops.empty()) stages_.push_back(std::move(row_));
    row_ = Stage();
  }

  const FlatGraph& flat_;
  const Graph& g_;
  SideTable<ValueId, char> weight_only_;
  std::vector<Stage> stages_;
  Stage row_;
};

}  // namespace

std::vector<Stage> partition(const FlatGraph& flat) { return Partitioner(flat).run(); }

}  // namespace lmc
