#include "codegen/planner.h"

#include <algorithm>
#include <set>

#include "codegen/kernels/attention.h"
#include "codegen/kernels/linear.h"
#include "codegen/kernels/row_kernel.h"
#include "codegen/layout.h"
#include "codegen/partition.h"
#include "codegen/stage_report.h"
#include "codegen/view_root.h"
#include "ir/graph_algorithms.h"
#include "ir/op_def.h"

namespace lmc {
namespace {

constexpr int64_t kTokensPerTile = 8;

int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

// May the op's input be sub-rows that are parts of longer ones? Others expect them side by side.
bool reads_sub_rows_anywhere(const Graph& g, const Op& op) {
  if (op.def->shape == OpShape::contraction) return by_experts(g, op);
  if (op.def->shape == OpShape::elementwise || op.def->shape == OpShape::view) return true;
  const RowOpEmitter* emitter = find_row_op(op.def->name);
  return emitter && emitter->sub_rows_anywhere;
}

class StepPlanner {
 public:
  StepPlanner(const FlatGraph& flat, const SharedPlan& shared, int64_t max_tokens)
      : g_(flat.graph), flat_(flat), shared_(shared), max_tokens_(max_tokens), only_(weight_only(g_)) {}

  PlannedStep run() {
    out_.plan.max_tokens = max_tokens_;
    out_.plan.max_rows = max_tokens_;
    out_.stages = partition(flat_, max_tokens_ == 1);
    if (g_.outputs().empty()) throw Error("graph @" + g_.name + " has no output");
    logits_ = g_.outputs()[0];
    if (view_root(g_, logits_).value != logits_ || only_[logits_] || !g_.def_op(logits_)) {
      throw Error("the first output of graph @" + g_.name + " must be computed by an op");
    }
    for (size_t i = 0; i < out_.stages.size(); ++i) {
      for (OpId id : out_.stages[i].all_ops()) stage_of_[id] = static_cast<int32_t>(i);
    }
    find_places();
    for (size_t i = 0; i < out_.stages.size(); ++i) finish_stage(static_cast<int32_t>(i));
    dependencies();
    out_.plan.arena_bytes = place_buffers(out_.plan.buffers, buffer_users_, plans());
    for (Stage& s : out_.stages) {
      for (PlanOperand& o : s.plan.operands) {
        if (o.space == Space::arena) o.offset = out_.plan.buffers[static_cast<size_t>(o.buffer)].offset;
      }
    }
    out_.plan.stages = plans();
    for (size_t i = 0; i < out_.stages.size(); ++i) {
      if (out_.stages[i].ranked.valid()) out_.plan.best_stage = static_cast<int64_t>(i);
    }
    return std::move(out_);
  }

 private:
  std::vector<PlanStage> plans() const {
    std::vector<PlanStage> out;
    for (const Stage& s : out_.stages) out.push_back(s.plan);
    return out;
  }

  bool computed_here(ValueId v) const {
    return g_.def_op(v) && !only_[v] && g_.def_op(v)->def->shape != OpShape::view && !is_kv(g_.type(v).dtype);
  }

  // Decides for every computed value: registers only, scratch of its stage, or a buffer in the arena.
  void find_places() {
    for (size_t i = 0; i < out_.stages.size(); ++i) {
      Stage& stage = out_.stages[i];
      find_kept_places(stage, static_cast<int32_t>(i));
      int64_t scratch = stage.kind == StageKind::attention
                            ? attention_scratch_bytes(g_.type(g_.op(stage.core).operands[0]).last())
                            : 0;
      for (OpId id : stage.ops) {
        for (ValueId v : g_.op(id).results) {
          if (!computed_here(v) || v == logits_) continue;
          if (escapes(v, static_cast<int32_t>(i))) {
            add_buffer(v, static_cast<int32_t>(i));
          } else if (stage.kind != StageKind::linear && needs_memory(v)) {
            scratch_of_[v] = scratch;
            scratch += row_bytes(g_.type(v));
          }
        }
      }
      reserve_scratch(stage, scratch);
    }
  }

  void add_buffer(ValueId v, int32_t writer) {
    buffer_of_[v] = static_cast<int64_t>(out_.plan.buffers.size());
    out_.plan.buffers.push_back({g_.value(v).name, row_bytes(g_.type(v)) * max_tokens_, 0});
    buffer_users_.push_back({writer});
  }

  // A prologue's results lie in front of the scratch, the first nearest to the header; what other stages read
  // has a buffer besides.
  void find_kept_places(const Stage& stage, int32_t index) {
    int64_t bytes = kKeptHeader;
    for (OpId id : stage.prologue) {
      for (ValueId v : g_.op(id).results) {
        const bool escaping = escapes(v, index);
        if (escaping) add_buffer(v, index);
        if (!escaping && !needs_memory(v)) continue;
        bytes += row_bytes(g_.type(v));
        scratch_of_[v] = -bytes;
      }
    }
    if (!stage.prologue.empty()) out_.plan.kept_bytes = std::max(out_.plan.kept_bytes, bytes);
  }

  void reserve_scratch(Stage& s, int64_t bytes) {
    s.scratch_bytes = std::max(s.scratch_bytes, bytes);
    out_.plan.scratch_bytes = std::max(out_.plan.scratch_bytes, s.scratch_bytes + 64);
  }

  // Read by another stage, directly or through views?
  bool escapes(ValueId v, int32_t stage) const {
    for (const Use& u : g_.value(v).uses) {
      const Op& user = g_.op(u.op);
      if (user.def->shape == OpShape::view) {
        for (ValueId r : user.results) {
          if (escapes(r, stage)) return true;
        }
      } else if (stage_of_[u.op] != stage) {
        return true;
      }
    }
    return g_.is_output(v);
  }

  // An elementwise value with one reader that visits each element once is computed where it is read.
  bool needs_memory(ValueId v) const {
    const Op& op = *g_.def_op(v);
    const auto& uses = g_.value(v).uses;
    if (op.def->shape != OpShape::elementwise || uses.size() != 1) return true;
    const Op& user = g_.op(uses[0].op);
    return user.def->shape != OpShape::elementwise && user.def->name != "quantize";
  }

  void finish_stage(int32_t index) {
    Stage& s = out_.stages[static_cast<size_t>(index)];
    s.single = max_tokens_ == 1;
    for (OpId id : s.prologue) {
      add_operands(s, index, g_.op(id));
      for (ValueId v : g_.op(id).results) {
        add_slot(s, index, v, true);
        if (buffer_of_.contains(v)) s.published[v] = buffer_slot(s, index, v, true);
      }
    }
    for (OpId id : s.ops) {
      const Op& op = g_.op(id);
      add_operands(s, index, op);
      for (ValueId v : op.results) add_slot(s, index, v, true);
      if (!op.results.empty() && !is_kv(g_.type(op.results[0]).dtype)) {
        for (ValueId v : op.results) {
          if (s.slots.contains(v)) s.stores.push_back(v);
        }
      }
    }
    // A step of one row may want no more than its largest logit, if nothing else reads them.
    if (s.single && s.over_rows && s.kind == StageKind::linear && !by_experts(g_, g_.op(s.core)) &&
        g_.value(logits_).uses.empty() &&
        std::find(s.stores.begin(), s.stores.end(), logits_) != s.stores.end())
      s.ranked = logits_;
    shape_tiles(s);
    describe(s, only_, max_tokens_);
  }

  void add_operands(Stage& s, int32_t index, const Op& op) {
    for (ValueId v : op.operands) {
      add_slot(s, index, v, false);
      if (s.slots.contains(v) && s.slots.at(v).sub_row != 0 && !reads_sub_rows_anywhere(g_, op))
        throw Error(op.loc, op.def->name + " of a split of heads has no kernel");
    }
  }

  void add_slot(Stage& s, int32_t index, ValueId v, bool written) {
    const ViewRoot root = view_root(g_, v);
    const Type& type = g_.type(root.value);
    Slot slot;
    PlanOperand o;
    o.written = written;
    slot.layout = dtype_name(type.dtype);
    slot.sub_row = root.sub_row;
    if (only_[root.value]) {
      o.space = Space::weight;
      o.index = shared_.weight_index.at(root.value);
      const PlanWeight& w = shared_.weights[static_cast<size_t>(o.index)];
      o.bytes = w.bytes;
      slot.layout = w.layout;
    } else if (is_kv(type.dtype)) {
      o.space = Space::kv;
      o.index = shared_.cache_index.at(root.value);
      const PlanCache& cache = shared_.caches[static_cast<size_t>(o.index)];
      o.bytes = cache.bytes;
      slot.layout = "kv";
      s.caches[v] = cache;
    } else if (g_.value(root.value).kind == ValueKind::input) {
      const std::string& name = g_.value(root.value).name;
      o.space = Space::input;
      if (name != "tokens" && name != "pos" && name != "out_rows") {
        throw Error("input %" + name + " is none of tokens, pos and out_rows");
      }
      o.index = static_cast<int64_t>(name == "tokens" ? StepInput::tokens
                                     : name == "pos"  ? StepInput::pos
                                                      : StepInput::out_rows);
      o.bytes = max_tokens_ * 4;
      slot.layout = "i32";
      slot.stride = 4;
    } else if (root.value == logits_) {
      o.space = Space::output;
      slot.stride = type.last() * 4;
      o.bytes = slot.stride * max_tokens_;
    } else if (const auto sc = scratch_of_.find(root.value);
               sc != scratch_of_.end() && stage_of_[g_.value(root.value).def] == index) {
      slot.offset = sc->second + root.element * 4;
      s.slots[v] = slot;
      return;
    } else if (buffer_of_.contains(root.value)) {
      slot = buffer_slot(s, index, root.value, written);
      slot.offset = root.element * 4;
      slot.sub_row = root.sub_row;
      s.slots[v] = slot;
      return;
    } else {
      return;  // lives in registers
    }
    slot.offset = root.element * 4;
    slot.operand = operand_index(s, o);
    s.slots[v] = slot;
  }

  // The buffer of a value as an operand of this stage.
  Slot buffer_slot(Stage& s, int32_t index, ValueId v, bool written) {
    PlanOperand o;
    o.written = written;
    o.buffer = buffer_of_.at(v);
    o.bytes = out_.plan.buffers[static_cast<size_t>(o.buffer)].bytes;
    auto& users = buffer_users_[static_cast<size_t>(o.buffer)];
    if (std::find(users.begin(), users.end(), index) == users.end()) users.push_back(index);
    const Type& type = g_.type(v);
    Slot slot;
    slot.operand = operand_index(s, o);
    slot.stride = row_bytes(type);
    slot.layout = dtype_name(type.dtype);
    return slot;
  }

  static int operand_index(Stage& s, const PlanOperand& o) {
    auto& operands = s.plan.operands;
    for (size_t i = 0; i < operands.size(); ++i) {
      if (operands[i].space == o.space && operands[i].index == o.index && operands[i].buffer == o.buffer) {
        operands[i].written |= o.written;
        return static_cast<int>(i);
      }
    }
    operands.push_back(o);
    return static_cast<int>(operands.size()) - 1;
  }

  void shape_tiles(Stage& s) {
    const int64_t token_tiles = (max_tokens_ + kTokensPerTile - 1) / kTokensPerTile;
    s.tokens_per_tile = max_tokens_ == 1 ? 1 : kTokensPerTile;
    if (s.kind == StageKind::row) {
      s.plan.tiles = token_tiles;
    } else if (s.kind == StageKind::attention) {
      const Op& op = g_.op(s.core);
      const int64_t kv_heads = g_.type(op.operands[1]).dims[1];
      if (op.def->name == "attention_split") s.splits = attr_int(op, "splits");
      s.plan.tiles = kv_heads * (s.splits > 1 ? s.splits : token_tiles);
    } else {
      const Type w = one_matrix(g_.type(g_.op(s.core).operands[1]));
      const int64_t groups = std::max<int64_t>((w.dims[0] + 7) / 8 / (s.halves.empty() ? 1 : 2), 1);
      const double bytes = static_cast<double>(packed_bytes(s.slots.at(g_.op(s.core).operands[1]).layout, w));
      // Tiles of about 128 kB, at least eight of a matrix that is worth sharing out.
      const auto wanted =
          bytes < (64 << 10) ? 1 : std::max<int64_t>(static_cast<int64_t>(bytes / (128 << 10)), 8);
      s.groups_per_tile = round_up((groups + wanted - 1) / wanted, 4);
      s.plan.tiles = linear_tiles(s, groups);
      reserve_scratch(s, linear_scratch_bytes(s, max_tokens_));
    }
  }

  // The matrix that a tile works on, of a stack of them.
  static Type one_matrix(const Type& w) { return {w.dtype, {w.dims.end() - 2, w.dims.end()}}; }

  // A stage waits for the stages that made what it reads; caches are ordered by the chain of kv values.
  void dependencies() {
    std::vector<std::vector<int>> successors(out_.stages.size());
    for (size_t i = 0; i < out_.stages.size(); ++i) {
      std::set<int32_t> before;
      for (OpId id : out_.stages[i].all_ops()) {
        for (ValueId v : g_.op(id).operands) {
          const ValueId root = view_root(g_, v).value;
          if (g_.def_op(root) && !only_[root]) before.insert(stage_of_[g_.value(root).def]);
        }
      }
      before.erase(static_cast<int32_t>(i));
      for (int32_t b : before) successors[static_cast<size_t>(b)].push_back(static_cast<int>(i));
    }
    const auto reduced = transitive_reduction(successors);
    for (size_t i = 0; i < reduced.size(); ++i) {
      for (int j : reduced[i])
        out_.stages[static_cast<size_t>(j)].plan.deps.push_back(static_cast<int32_t>(i));
    }
    for (Stage& s : out_.stages) std::sort(s.plan.deps.begin(), s.plan.deps.end());
  }

  const Graph& g_;
  const FlatGraph& flat_;
  const SharedPlan& shared_;
  int64_t max_tokens_;
  SideTable<ValueId, char> only_;
  ValueId logits_;
  SideTable<OpId, int32_t> stage_of_{0, -1};
  std::map<ValueId, int64_t> buffer_of_;
  std::map<ValueId, int64_t> scratch_of_;
  std::vector<std::vector<int32_t>> buffer_users_;
  PlannedStep out_;
};

}  // namespace

int64_t row_bytes(const Type& type) {
  int64_t elements = 1;
  for (size_t i = 1; i < type.dims.size(); ++i) elements *= type.dims[i];
  if (is_quantised(type.dtype))
    return elements / std::max<int64_t>(type.last(), 1) * quantised_bytes(type.last());
  return round_up(elements * 4, 64);
}

int64_t quantised_bytes(int64_t length) {
  const int64_t padded = round_up(length, kQ8Block);
  return round_up(padded + padded / kQ8Block * 8, 64);
}

SharedPlan plan_shared(const Graph& g, int64_t max_tokens) {
  SharedPlan out;
  for (OpId id : g.ops()) {
    const Op& op = g.op(id);
    if (op.def->name == "pack") {
      const ValueId v = op.results[0];
      const std::string& layout = attr_string(op, "layout");
      out.weight_index[v] = static_cast<int64_t>(out.weights.size());
      out.packs.push_back(v);
      out.weights.push_back({g.value(v).name, layout, g.type(v), packed_bytes(layout, g.type(v))});
    }
    if (op.def->name == "kv_append" && out.cache_index.contains(op.operands[0])) {
      out.cache_index[op.results[0]] = out.cache_index[op.operands[0]];
    }
    if (!op.operands.empty() && is_kv(g.type(op.operands[0]).dtype) &&
        g.value(op.operands[0]).kind == ValueKind::input && !out.cache_index.contains(op.operands[0])) {
      const Type& t = g.type(op.operands[0]);
      PlanCache c;
      c.name = g.value(op.operands[0]).name;
      c.dtype = t.dtype;
      c.span = t.dims[0];
      c.kv_heads = t.dims[1];
      c.head_dim = t.dims[2];
      // The oldest token of a step still sees its whole window when the newest is written.
      c.capacity = round_up(c.span + max_tokens - 1, kAttentionBlock);
      c.bytes = CacheLayout(c).bytes;
      out.cache_index[op.operands[0]] = static_cast<int64_t>(out.caches.size());
      out.caches.push_back(c);
      if (op.def->name == "kv_append") out.cache_index[op.results[0]] = out.cache_index[op.operands[0]];
    }
  }
  return out;
}

PlannedStep plan_step(const FlatGraph& flat, const SharedPlan& shared, int64_t max_tokens) {
  return StepPlanner(flat, shared, max_tokens).run();
}

}  // namespace lmc
