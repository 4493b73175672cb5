// The kernels of some steps by kind (label with the sizes filled in), each beside what the machine allows.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "ir/machine.h"
#include "runtime/session.h"
#include "tools/measure/profile/compute_peak.h"
#include "tools/measure/profile/recorder.h"

namespace lmc {

// The ceilings of the roofline, all threads together.
struct Peaks {
  double read = 0;  // bytes per second
  ComputePeak compute;
};

// What holds a kernel back: memory or arithmetic, or latency where it is far from what either allows (short
// calls, dependent instructions, one worker where there are several).
enum class Bound : uint8_t { memory, compute, latency };
inline constexpr std::array<const char*, 3> kBoundNames = {"memory", "compute", "latency"};

// Sums over all steps given.
struct KernelKind {
  std::string label, family, role, part;
  bool attends = false;    // over a cache
  bool contracts = false;  // with a weight
  bool int8 = false;
  int64_t calls = 0, steps = 0;
  double seconds = 0;         // wall time: of each call from its first tile's begin to its last one's end
  double in_cache = 0;        // wall time of each call if nothing came from memory; 0: not known
  double predicted = 0;       // wall time, by the cost model (ir/cost.h) and the machine's figures
  double busy = 0;            // of all workers
  double bytes = 0, ops = 0;  // as in Work
  double buffer_bytes = 0;
  double memory = 0, math = 0;  // seconds at either ceiling

  double at_roofline() const { return memory > math ? memory : math; }
  // The most that a better kernel could save.
  double excess() const { return seconds > at_roofline() ? seconds - at_roofline() : 0; }
  Bound bound() const;
};

// Seconds of a call of each kind that contracts, if nothing it reads came from memory
// (Session::seconds_in_cache), by label. Measured, the best of three times 10 ms; the session's buffers are
// zero then.
using InCache = std::map<std::string, double>;
InCache measure_in_cache(const Recorder& recorder, Session& session);

// Slowest first.
std::vector<KernelKind> kernel_kinds(const Recorder& recorder, std::span<const StepRecord* const> steps,
                                     const Peaks& peaks, const MachineFigures& machine,
                                     const InCache& in_cache);

// "Embedding", "attention", "ffn", "Norm", "Projection": how tables and pictures name the part of a stage.
std::string part_name(const StagePlace& place);

}  // namespace lmc
