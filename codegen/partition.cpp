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
  Partitioner(const FlatGraph& flat, bool single)
      : flat_(flat), g_(flat.graph), single_(single), weight_only_(weight_only(g_)) {}

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
  // One group (or a single op). What is behind an attention is placed as if it were a group of its own.
  void place(const std::vector<OpId>& cluster) {
    std::vector<OpId> cores;
    std::copy_if(cluster.begin(), cluster.end(), std::back_inserter(cores),
                 [&](OpId id) { return is_core(g_.op(id)); });
    if (cores.empty()) {
      for (OpId id : cluster) add_row(id);
    } else if (cores.size() == 1) {
      place_around(cores[0], cluster);
    } else {
      const std::set<uint32_t> behind = dependents(cores[0], cluster);
      if (!is_attention(cores[0]) || !behind.contains(cores[1].v)) {
        throw Error(g_.op(cores[1]).loc, "group '" + flat_.group[cores[1]] + "' holds two contractions (" +
                                             describe(cores[0]) + " and " + describe(cores[1]) +
                                             "); one kernel can hold one");
      }
      std::vector<OpId> first, second;
      for (OpId id : cluster) (behind.contains(id.v) ? second : first).push_back(id);
      place(first);
      place(second);
    }
  }

  bool is_attention(OpId id) const { return g_.op(id).def->shape == OpShape::attention; }

  // Rows in front, core with prologue and epilogue, final rows.
  void place_around(OpId core, const std::vector<OpId>& cluster) {
    const Op& op = g_.op(core);
    if (!is_attention(core) && !by_experts(g_, op) && g_.type(op.operands[0]).rank() != 2) {
      throw Error(op.loc, describe(core) + " reads " + g_.type(op.operands[0]).str() +
                              "; its kernel takes one row of numbers for each token: reshape it before");
    }
    const std::set<uint32_t> behind = dependents(core, cluster);
    std::vector<OpId> ahead;
    for (OpId id : cluster) {
      if (id != core && !behind.contains(id.v)) ahead.push_back(id);
    }
    const bool as_prologue = fits_prologue(ahead, core);
    if (!as_prologue) {
      for (OpId id : ahead) add_row(id);
    }
    close_row();
    Stage stage;
    if (as_prologue) stage.prologue = std::move(ahead);
    stage.kind = is_attention(core) ? StageKind::attention : StageKind::linear;
    stage.graph = &g_;
    stage.core = core;
    stage.over_rows = runs_over_rows(core);
    stage.ops.push_back(core);
    if (stage.kind == StageKind::linear) stage.halves = halves(core, behind);
    std::vector<OpId> later = absorb(stage, cluster, behind);
    if (!stage.halves.empty() && reads(later, stage.halves)) {
      // What stays outside reads the whole output from memory.
      stage.halves.clear();
      stage.ops = {core};
      stage.quantised = {};
      later = absorb(stage, cluster, behind);
    }
    stages_.push_back(std::move(stage));
    for (OpId id : later) add_row(id);
  }

  // For one token every worker may as well compute the row itself: it costs no more time than waiting for
  // the one that does, and saves that wait. Other stages get what they read from the worker of tile 0, which
  // a step without rows never runs.
  bool fits_prologue(const std::vector<OpId>& ahead, OpId core) const {
    if (!single_ || ahead.empty() || is_attention(core)) return false;
    const bool over_rows = runs_over_rows(core);
    const auto inside = [&](OpId user) {
      return user == core || std::find(ahead.begin(), ahead.end(), user) != ahead.end();
    };
    return std::all_of(ahead.begin(), ahead.end(), [&](OpId id) {
      const Op& op = g_.op(id);
      if (find_row_op(op.def->name) == nullptr) return false;
      return std::all_of(op.results.begin(), op.results.end(), [&](ValueId v) {
        if (is_kv(g_.type(v).dtype) || g_.is_output(v)) return false;
        if (runs_over_rows(id) == over_rows) return true;
        const auto& uses = g_.value(v).uses;
        return std::all_of(uses.begin(), uses.end(), [&](const Use& u) { return inside(u.op); });
      });
    });
  }

  bool runs_over_rows(OpId id) const {
    const Type& t = g_.type(g_.result(id));
    return !t.dims.empty() && t.dims[0] == kDimR;
  }

  // Moves what fits into the epilogue of a linear; returns what does not.
  std::vector<OpId> absorb(Stage& stage, const std::vector<OpId>& cluster,
                           const std::set<uint32_t>& behind) const {
    std::set<uint32_t> inside{stage.core.v};
    std::vector<OpId> later;
    for (OpId id : cluster) {
      if (!behind.contains(id.v)) continue;
      if (stage.kind == StageKind::linear && fits_epilogue(id, stage, inside, behind)) {
        stage.ops.push_back(id);
        inside.insert(id.v);
      } else if (stage.kind == StageKind::linear && quantises_output(id, stage, inside)) {
        stage.ops.push_back(id);
        stage.quantised = g_.result(id);
      } else {
        later.push_back(id);
      }
    }
    if (stage.ops.size() == 1) stage.halves.clear();
    return later;
  }

  // Whole blocks, and each in one tile: four row groups make one.
  bool quantises_output(OpId id, const Stage& stage, const std::set<uint32_t>& inside) const {
    const Op& op = g_.op(id);
    if (op.def->name != "quantize" || stage.quantised.valid()) return false;
    const ValueId x = op.operands[0];
    const bool rows = g_.type(x).rank() == 2 || by_experts(g_, g_.op(stage.core));
    return rows && g_.type(x).last() % kQ8Block == 0 && g_.def_op(x) && inside.contains(g_.value(x).def.v) &&
           x != g_.result(stage.core);
  }

  bool reads(const std::vector<OpId>& ops, const std::vector<ValueId>& values) const {
    return std::any_of(ops.begin(), ops.end(), [&](OpId id) {
      const auto& in = g_.op(id).operands;
      return std::find_first_of(in.begin(), in.end(), values.begin(), values.end()) != in.end();
    });
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

  // Both results of a split of the core's output into halves of whole row groups, if that is all that reads
  // it and the halves are read in this cluster only.
  std::vector<ValueId> halves(OpId core, const std::set<uint32_t>& behind) const {
    const ValueId y = g_.result(core);
    const auto& uses = g_.value(y).uses;
    if (uses.size() != 1 || g_.is_output(y)) return {};
    const Op& split = g_.op(uses[0].op);
    if (split.def->name != "split" || split.results.size() != 2) return {};
    const int64_t half = g_.type(split.results[0]).last();
    if (half != g_.type(split.results[1]).last() || half % 8 != 0) return {};
    for (ValueId v : split.results) {
      for (const Use& u : g_.value(v).uses) {
        if (!behind.contains(u.op.v)) return {};
      }
      if (g_.is_output(v)) return {};
    }
    return split.results;
  }

  // Elementwise over exactly the core's outputs (or over their halves), with every other operand ready before
  // the core runs.
  bool fits_epilogue(OpId id, const Stage& stage, const std::set<uint32_t>& inside,
                     const std::set<uint32_t>& behind) const {
    const Op& op = g_.op(id);
    const bool halved = !stage.halves.empty();
    const Type& out = g_.type(halved ? stage.halves[0] : g_.result(stage.core));
    if (op.def->shape != OpShape::elementwise || g_.type(op.results[0]) != out) return false;
    return std::all_of(op.operands.begin(), op.operands.end(), [&](ValueId v) {
      if (halved && (v == stage.halves[0] || v == stage.halves[1])) return true;
      const bool computed = g_.def_op(v) && behind.contains(g_.value(v).def.v);
      if (computed) return inside.contains(g_.value(v).def.v);
      const bool core_result = !halved && g_.def_op(v) && g_.value(v).def == stage.core;
      return core_result || g_.type(v) == out || g_.type(v).rank() == 1;
    });
  }

  void add_row(OpId id) {
    const Op& op = g_.op(id);
    if (find_row_op(op.def->name) == nullptr)
      throw Error(op.loc, "there is no kernel for op " + op.def->name);
    const bool over_rows = runs_over_rows(id);
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
  const bool single_;
  SideTable<ValueId, char> weight_only_;
  std::vector<Stage> stages_;
  Stage row_;
};

}  // namespace

std::vector<Stage> partition(const FlatGraph& flat, bool single) { return Partitioner(flat, single).run(); }

}  // namespace lmc
