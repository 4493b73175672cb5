// What the steps of a profiled run say: the numbers behind every table, picture and JSON field of `lmc
// profile`.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tools/measure/profile/attention_parts.h"
#include "tools/measure/profile/collectives.h"
#include "tools/measure/profile/kernel_kinds.h"
#include "tools/measure/profile/recorder.h"
#include "tools/measure/profile/slow_steps.h"
#include "tools/measure/profile/stats.h"

namespace lmc {

struct AuditSetup {
  std::string bundle;
  int threads = 1;
  int64_t prompt = 0, decode = 0;
  Peaks peaks = {};             // measured in this run
  MachineFigures machine = {};  // that costs are predicted by
  InCache in_cache = {};        // measured in this run
  AttentionParts attention = {};
  double page_fault = 0;                         // seconds
  std::vector<CollectiveKind> collectives = {};  // of decode steps, on several ranks
};

// Time in one section of a step; `share` is that of the mean in the mean total.
struct SectionTimes {
  Stats stats;
  double share = 0;
};

// Per step, in seconds.
struct PartTimes {
  double mean = 0, share = 0;
};

struct LayerTimes {
  std::map<std::string, PartTimes> parts;
  Stats total;  // all parts of a step together
};

// Where workers' time went in a mean step: wall × threads = busy + waiting.
struct Waiting {
  double wall = 0, busy = 0;
  double idle = 0;     // worker time: wall * threads - busy
  double inside = 0;   // of idle: while some stage ran
  double between = 0;  // wall time in no stage's span
};

// One part of the layers' attention, in seconds of a mean step; `share` of the step.
struct AttentionTime {
  std::string name;
  double seconds = 0, share = 0;
};

// The most that mending one thing could save in a mean step.
struct Bottleneck {
  std::string what, why;
  double now = 0, bound = 0, gain = 0, share = 0;
};

// The steps of one phase put together.
struct PhaseAudit {
  std::vector<const StepRecord*> steps;
  int64_t tokens = 0;
  std::array<SectionTimes, 4> sections;
  SectionTimes total;
  std::vector<LayerTimes> layers;
  std::vector<KernelKind> kernels;
  std::vector<AttentionTime> attention;  // projections, QKᵀ, softmax, AV, output, the rest; empty if none
  Waiting waiting;
  std::vector<Bottleneck> bottlenecks;  // largest gain first

  double per_step(double sum) const { return steps.empty() ? 0 : sum / static_cast<double>(steps.size()); }
  double seconds_per_token() const;
};

struct Audit {
  AuditSetup setup;
  SlowSteps slow;                       // of decode
  PhaseAudit decode;                    // steady state: without the first step, if there are more
  PhaseAudit prefill;                   // of the second time the prompt was fed
  double first = 0, median = 0;         // decode steps: the first, and the median of the rest
  double cold_prefill = 0;              // the whole prompt, the first time
  const StepRecord* picture = nullptr;  // the decode step nearest to the median of those with tiles
};

// The recorder must outlive the audit.
Audit audit_of(const Recorder& recorder, const AuditSetup& setup);

}  // namespace lmc
