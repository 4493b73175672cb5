#include "ir/cost.h"

#include <algorithm>
#include <cmath>

#include "ir/op_def.h"

namespace lmc {
namespace {

// From so many tokens on, linears walk blocks of them instead of one after the other.
constexpr int64_t kBlock = 8;

bool is_int8(const StageWork& w) { return w.format && is_quantised(*w.format); }

double product_rate(const StageWork& w, int64_t tokens, const MachineFigures& m) {
  if (is_int8(w)) return tokens < kBlock ? m.int8_one : m.int8_block;
  return tokens < kBlock ? m.f32_one : m.f32_block;
}

double row_seconds(const RowWork& w, const MachineFigures& m) { return w.ops / m.row + w.exps / m.exp; }

double read_rate(int64_t ways, const MachineFigures& m) {
  return std::max(m.read_one, std::min(static_cast<double>(ways) * m.read_one, m.read_all));
}

// Tiles with something to do, and what part of the work the busiest of `ways` threads has.
struct Deal {
  double tiles = 1, share = 1;
};

Deal deal(const PlanStage& stage, const StepShape& step, int64_t count, int64_t max_tokens, int64_t ways) {
  const AttentionWork& a = stage.work.attention;
  auto tiles = static_cast<double>(stage.tiles);
  double largest = 0;  // tile, where they are not alike
  if (a.span > 0 && a.chunk > 0) {
    const double positions = positions_seen(a, step).apart;
    const auto heads = static_cast<double>(a.kv_heads), chunk = static_cast<double>(a.chunk);
    const double chunks = std::ceil(positions / chunk);
    largest = std::min(positions, std::ceil(chunks * heads / tiles) * chunk) / positions / heads;
    tiles = std::min(tiles, chunks * heads);
  } else if (stage.work.weight.empty()) {  // each has some of the tokens; else some of the weight's rows
    tiles = std::ceil(tiles * static_cast<double>(count) / static_cast<double>(max_tokens));
  }
  tiles = std::max(tiles, 1.0);
  const auto n = static_cast<double>(ways);
  return {tiles, std::max(largest, largest > 0 ? 1 / n : std::ceil(tiles / n) / tiles)};
}

// Seconds of one thread that does it all, on operands in the caches.
double work_seconds(const StageWork& w, double buffers, const StepShape& step, int64_t count,
                    const MachineFigures& m) {
  const auto n = static_cast<double>(count);
  double out = n * (row_seconds(w.rows, m) + buffers / m.buffers);
  if (w.products > 0) out += n * w.products / product_rate(w, count, m);
  if (w.attention.span > 0) out += positions_seen(w.attention, step).together * w.attention.flops / m.attend;
  return out;
}

double bytes_per_token(const StepPlan& plan, size_t buffer) {
  return static_cast<double>(plan.buffers[buffer].bytes) / static_cast<double>(plan.max_tokens);
}

// body(stage, buffer) for each operand that is one.
template <typename Body>
void for_buffers(const StepPlan& plan, const Body& body) {
  for (const PlanStage& s : plan.stages) {
    for (const PlanOperand& o : s.operands) {
      if (o.space == Space::arena) body(s, static_cast<size_t>(o.buffer));
    }
  }
}

}  // namespace

PositionsSeen positions_seen(const AttentionWork& a, const StepShape& step) {
  const int64_t each = (step.tokens + step.sequences - 1) / step.sequences;
  PositionsSeen out;
  for (int64_t t = 0; t < each; ++t)
    out.together += static_cast<double>(std::min(step.position + t + 1, a.span) * step.sequences);
  out.apart = static_cast<double>(std::min(step.position + each, a.span + each - 1) * step.sequences);
  return out;
}

StepCost::StepCost(const StepPlan& plan, const MachineFigures& machine) : plan_(plan), machine_(machine) {
  double weights = 0;
  for (const PlanStage& s : plan.stages) weights += s.work.weight_bytes;
  from_memory_ = part_from_memory(weights, machine);
  // There is room for all chunks of the longest sequence; how many are touched the rate of attention knows.
  std::vector<char> partial(plan.buffers.size());
  for_buffers(plan, [&](const PlanStage& s, size_t b) { partial[b] |= s.work.attention.chunk > 0; });
  buffers_.resize(plan.stages.size());
  for_buffers(plan, [&](const PlanStage& s, size_t b) {
    if (!partial[b]) buffers_[static_cast<size_t>(&s - plan.stages.data())] += bytes_per_token(plan, b);
  });
}

double StepCost::stage(size_t index, const StepShape& step, int64_t ways) const {
  const PlanStage& s = plan_.stages[index];
  const MachineFigures& m = machine_;
  const StageWork& w = s.work;
  const int64_t count = w.over_rows ? step.rows : step.tokens;
  const Deal d = deal(s, step, count, plan_.max_tokens, ways);
  const double calls = m.call * std::ceil(d.tiles / static_cast<double>(ways));
  if (count == 0) return calls;
  double bytes = w.weight_bytes;
  if (w.attention.span > 0) bytes += positions_seen(w.attention, step).apart * w.attention.bytes;
  const double memory = bytes / read_rate(ways, m);
  const double work = d.share * work_seconds(w, buffers_[index], step, count, m);
  const double beyond_work = from_memory_ * std::max(memory - work, 0.0);
  return from_memory_ * m.cold + row_seconds(w.prologue, m) + work + beyond_work + calls;
}

int64_t StepCost::ways(size_t s, const StepShape& step, int64_t threads) const {
  const int64_t most = std::min(threads, plan_.stages[s].tiles);
  if (plan_.stages[s].work.attention.span > 0) return most;
  const double worth = std::floor(stage(s, step, 1) / machine_.launch);
  return worth < static_cast<double>(most) ? std::max<int64_t>(static_cast<int64_t>(worth), 1) : most;
}

double StepCost::step(const StepShape& step, int64_t threads) const {
  double out = threads > 1 ? machine_.step_start : 0;
  for (size_t s = 0; s < plan_.stages.size(); ++s) {
    const int64_t drawing = threads > 1 ? ways(s, step, threads) : 1;
    out += stage(s, step, drawing);
    if (drawing > 1) out += machine_.launch;
  }
  return out;
}

bool StepCost::worth_threads(const StepShape& shape, int64_t threads) const {
  return threads > 1 && step(shape, threads) < step(shape, 1);
}

double StepCost::usual_step(const StepShape& shape, int64_t threads) const {
  return std::min(step(shape, 1), step(shape, threads));
}

double buffer_bytes(const StepPlan& plan, const PlanStage& stage) {
  double bytes = 0;
  for (const PlanOperand& o : stage.operands) {
    if (o.space == Space::arena) bytes += bytes_per_token(plan, static_cast<size_t>(o.buffer));
  }
  return bytes;
}

void count_op(const Graph& g, OpId id, StageWork& work) {
  const Op& op = g.op(id);
  if (op.body) {
    const SideTable<ValueId, char> constant = weight_only(*op.body);
    for (OpId inner : op.body->ops()) {
      if (!constant[op.body->op(inner).results[0]]) count_op(*op.body, inner, work);
    }
    return;
  }
  const Cost cost = op_cost(g, id);
  if (op.def->category == OpCategory::contraction) {
    work.products += cost.flops;
    work.format = g.type(op.operands[1]).dtype;
  } else {
    work.rows.ops += cost.flops;
    work.rows.exps += cost.exps;
  }
}

double op_seconds(const Graph& g, OpId id, const MachineFigures& m) {
  const Cost cost = op_cost(g, id);
  StageWork work;
  count_op(g, id, work);
  const double one = work_seconds(work, cost.activation_bytes, {}, 1, m);
  return std::max(cost.weight_bytes / m.read_all, one / m.threads);
}

}  // namespace lmc
