#include "ir/network.h"

#include <algorithm>

#include "ir/kernel_abi.h"

namespace lmc {
namespace {

bool makes_logits(const PlanStage& stage) {
  return std::any_of(stage.operands.begin(), stage.operands.end(),
                     [](const PlanOperand& o) { return o.written && o.space == Space::output; });
}

// The best of each rank, instead of rows of logits.
PlanGather of_the_best(const PlanGather& logits) {
  PlanGather out = logits;
  std::fill(out.bytes.begin(), out.bytes.end(), int64_t{sizeof(TileArgmax)});
  return out;
}

}  // namespace

RankTraffic traffic_of(const PlanGather& gather, int64_t rows) {
  RankTraffic out;
  const auto own = static_cast<size_t>(gather.rank);
  for (size_t r = 0; r < gather.bytes.size(); ++r) {
    if (r == own || rows == 0) continue;
    if (gather.bytes[own] > 0 && gather.gets(static_cast<int64_t>(r))) {
      ++out.messages_out;
      out.sent += static_cast<double>(gather.bytes[own] * rows);
    }
    if (gather.bytes[r] > 0 && gather.gets(gather.rank)) {
      ++out.messages_in;
      out.got += static_cast<double>(gather.bytes[r] * rows);
    }
  }
  return out;
}

double seconds_of(const RankTraffic& t, const NetworkFigures& network) {
  if (t.messages_in == 0) return network.message * static_cast<double>(t.messages_out);
  return network.latency + busy_seconds_of(t, network);
}

double busy_seconds_of(const RankTraffic& t, const NetworkFigures& network) {
  return network.message * static_cast<double>(t.messages_out + t.messages_in) +
         std::max(t.sent, t.got) / network.bandwidth;
}

StepTraffic step_traffic(const StepPlan& plan, const StepShape& step, const NetworkFigures& network) {
  StepTraffic out;
  for (const PlanStage& s : plan.stages) {
    if (!s.gather) continue;
    const int64_t rows = s.work.over_rows ? step.rows : step.tokens;
    const bool own = s.gather->bytes[static_cast<size_t>(s.gather->rank)] > 0;
    const bool best = makes_logits(s) && (plan.max_tokens > 1 || !own || plan.argmax_stage >= 0);
    const RankTraffic t = traffic_of(best ? of_the_best(*s.gather) : *s.gather, rows);
    if (t.messages_in + t.messages_out == 0) continue;
    ++out.collectives;
    out.all.sent += t.sent;
    out.all.got += t.got;
    out.all.messages_out += t.messages_out;
    out.all.messages_in += t.messages_in;
    out.seconds += seconds_of(t, network);
    out.busy_seconds += busy_seconds_of(t, network);
  }
  return out;
}

double announce_seconds(int64_t ranks, const NetworkFigures& network) {
  return ranks == 1 ? 0 : network.latency + network.message * static_cast<double>(ranks - 1);
}

}  // namespace lmc
