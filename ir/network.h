// How long what ranks send each other takes, beside the cost model of what they compute (ir/cost.h): for
// planning, with a network that need not be there. Nothing that is computed depends on it.
#pragma once

#include <cstdint>

#include "ir/cost.h"
#include "ir/plan.h"

namespace lmc {

// Between any two ranks at once; none is in another's way but where it sends or gets itself.
struct NetworkFigures {
  double latency = 50e-6;    // seconds from sending a message of no bytes to its arrival
  double bandwidth = 125e6;  // bytes a second out of a rank, and as many into it
  double message = 10e-6;    // seconds of a rank for each message that it sends or gets
};

// What a rank sends and gets in a collective of so many rows.
struct RankTraffic {
  double sent = 0, got = 0;  // bytes
  int64_t messages_out = 0, messages_in = 0;
};
RankTraffic traffic_of(const PlanGather& gather, int64_t rows);

// From the moment that all ranks are there until this one has all that it gets:
//   message * messages + latency + max(sent, got) / bandwidth
// without the latency, and not counting what only lies with the system, on a rank that gets nothing.
double seconds_of(const RankTraffic& traffic, const NetworkFigures& network);
// In which no other step of the rank can go on: it handles messages, or its link is taken.
double busy_seconds_of(const RankTraffic& traffic, const NetworkFigures& network);

struct StepTraffic {
  int64_t collectives = 0;  // in which this rank has a part, or gets others'
  RankTraffic all;          // added up
  double seconds = 0;
  double busy_seconds = 0;  // busy_seconds_of() of each
};
// Of a step that asks for no more than the likeliest token of each row, where the plan can tell it
// (StepPlan::argmax_stage on the ranks that have logits; ranks are asked for it where a step has several
// rows).
StepTraffic step_traffic(const StepPlan& plan, const StepShape& step, const NetworkFigures& network);

// Until rank 0 has told all others what to run.
double announce_seconds(int64_t ranks, const NetworkFigures& network);

}  // namespace lmc
