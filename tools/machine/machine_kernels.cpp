#include "tools/machine/machine_kernels.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "ir/cost.h"
#include "ir/text.h"
#include "passes/engine/lowering.h"
#include "runtime/session.h"
#include "tools/machine/graph_program.h"
#include "tools/machine/membw.h"
#include "tools/machine/memory_program.h"
#include "tools/machine/statistics.h"
#include "tools/system/cache_folder.h"

namespace lmc {
namespace {

constexpr int64_t kBlock = 64, kContext = 1024;

// A graph compiled for this CPU. All bytes of its weights are alike, a number of ordinary size in every
// format: no time goes into making up others, and none into denormals.
class Probe {
 public:
  explicit Probe(const std::string& text, int prefetch = 1)
      : code_(compiled(text, prefetch)),
        kernels_(code_.object),
        functions_(find_kernels(kernels_, code_.plan)) {
    for (const PlanWeight& w : code_.plan.weights) {
      auto& memory = memory_.emplace_back(static_cast<size_t>(w.bytes + kReadPastEnd), std::byte{0x3c});
      weights_.push_back(memory.data());
    }
  }

  // Seconds of each stage in each of the steps but the first; `tokens` of them, after a prompt of `before`.
  std::vector<std::vector<double>> times(int threads, int64_t before,
                                         const std::vector<int64_t>& tokens) const {
    std::vector<std::vector<double>> out;
    SessionOptions options{.threads = threads};
    options.scheduler = threads > 1 ? "flow-graph" : "in-order";
    options.profile = true;
    options.on_step = [&](const StepPlan&, const StepInfo&, const Profile& profile) {
      std::vector<double>& stages = out.emplace_back();
      for (const StageTime& t : profile.last_stages()) stages.push_back(t.span);
    };
    Session session(code_.plan, functions_, weights_, options);
    session.warm_up();
    if (before > 0) session.step(std::vector<int32_t>(static_cast<size_t>(before), 1));
    out.clear();
    for (const int64_t n : tokens) session.step(std::vector<int32_t>(static_cast<size_t>(n), 1));
    out.erase(out.begin());
    return out;
  }

  const Plan& plan() const { return code_.plan; }

 private:
  static CodegenResult compiled(const std::string& text, int prefetch) {
    PassOptions passes;
    passes.settings["form-kernels"]["prefetch"] = std::to_string(prefetch);
    CodegenOptions options;
    options.context = kContext;
    options.cache_folder = cache_folder();
    return emit(lower(parse_graph(text, "probe"), {kBlock}, passes), options);
  }

  CodegenResult code_;
  LoadedKernels kernels_;
  PlanKernels functions_;
  std::vector<std::vector<std::byte>> memory_;
  std::vector<const void*> weights_;
};

double median_of(const std::vector<std::vector<double>>& steps, size_t stage) {
  std::vector<double> all;
  for (const auto& step : steps) all.push_back(step[stage]);
  return median(all);
}

// Stages of the plan by what they are: "linear q8_0", "row gelu_tanh", "attention".
std::map<std::string, size_t> stages_by_kind(const StepPlan& plan) {
  std::map<std::string, size_t> out;
  for (size_t i = 0; i < plan.stages.size(); ++i) {
    const StageWork& w = plan.stages[i].work;
    std::string kind = w.attention.span > 0 ? "attention" : w.family;
    if (w.format) kind += std::string(" ") + dtype_name(*w.format);
    for (const std::string& op : w.ahead) kind += " " + op;
    out[kind] = i;
  }
  return out;
}

// In the caches.

// Linears of both kinds, attention, and row kernels that do one kind of thing each.
const char* const kCached = R"(
graph @cached (%tokens: i32[T], %pos: i32[T], %out_rows: i32[R], %kv: kv_f16[1024,1,64]) {
  weight @embed : f32[16,512]
  weight @a : f32[512,512]
  weight @b : f32[384,512]
  weight @g : f32[256]
  weight @c : f32[512,256]
  weight @d : f32[64,512]
  %x = embedding(%tokens, @embed)
  %qx = quantize(%x)
  %qa = quantize(@a)
  %y = linear(%qx, %qa)
  %s = scale(%y) {by=1.5}
  %z = linear(%s, @b)
  %q, %k, %v = split(%z) {sizes=[256,64,64]}
  %qh = reshape(%q) {shape=[4,64]}
  %kh = reshape(%k) {shape=[1,64]}
  %vh = reshape(%v) {shape=[1,64]}
  %kv1 = kv_append(%kv, %kh, %vh, %pos)
  %h = attention(%qh, %kv1, %pos) {scale=0.125}
  %n = rms_norm(%h, @g) {eps=1e-6}
  %r = add(%n, %h)
  %m = rms_norm(%r, @g) {eps=1e-6}
  %qm = quantize(%m)
  %qc = quantize(@c)
  %u = linear(%qm, %qc)
  %e = gelu_tanh(%u)
  %w = linear(%e, @d)
  %last = select_rows(%w, %out_rows)
  %logits = scale(%last) {by=1.5}
  return %logits
}
)";

class CachedRates {
 public:
  CachedRates(const Probe& probe, MachineFigures& m) : probe_(probe), m_(m) {}

  void measure() {
    block();
    one_token();
  }

 private:
  // The stage's own time: without what the figures already explain of it.
  double own(const StepPlan& plan, size_t stage, int64_t tokens, double seconds) const {
    const auto n = static_cast<double>(tokens);
    const double beside = n * buffer_bytes(plan, plan.stages[stage]) / m_.buffers;
    return std::max(seconds - beside, seconds / 2);
  }

  void block() {
    const StepPlan& plan = probe_.plan().prefill;
    const auto steps = probe_.times(1, 0, std::vector<int64_t>(12, kBlock));
    const auto kinds = stages_by_kind(plan);
    const auto n = static_cast<double>(kBlock);
    const auto seconds = [&](const char* kind) { return median_of(steps, kinds.at(kind)); };
    const auto work = [&](const char* kind) -> const StageWork& { return plan.stages[kinds.at(kind)].work; };
    m_.buffers = n * buffer_bytes(plan, plan.stages[kinds.at(kMoves)]) / seconds(kMoves);
    const auto rate = [&](const char* kind, double done) {
      return n * done / own(plan, kinds.at(kind), kBlock, std::max(seconds(kind), 1e-9));
    };
    m_.row = rate(kNorms, work(kNorms).rows.ops);
    m_.exp = rate(kExps, work(kExps).rows.exps);
    m_.f32_block = rate(kF32, work(kF32).products);
    m_.int8_block = rate(kInt8, work(kInt8).products);
  }

  void one_token() {
    constexpr int64_t kBefore = 256, kSteps = 96;  // within three chunks of attention
    const StepPlan& plan = probe_.plan().decode;
    const auto steps = probe_.times(1, kBefore, std::vector<int64_t>(kSteps, 1));
    const auto kinds = stages_by_kind(plan);
    const auto seconds = [&](const char* kind) { return median_of(steps, kinds.at(kind)); };
    const auto work = [&](const char* kind) -> const StageWork& { return plan.stages[kinds.at(kind)].work; };
    m_.call = std::max(seconds(kMoves) - buffer_bytes(plan, plan.stages[kinds.at(kMoves)]) / m_.buffers,
                       kLeastCall);
    const auto rate = [&](const char* kind) {
      const size_t s = kinds.at(kind);
      const double calls = m_.call * static_cast<double>(plan.stages[s].tiles);
      return work(kind).products / std::max(seconds(kind) - calls, seconds(kind) / 2);
    };
    m_.f32_one = rate(kF32);
    m_.int8_one = rate(kInt8);
    m_.attend = (kBefore + kSteps / 2) * work("attention").attention.flops / seconds("attention");
  }

  static constexpr const char* kMoves = "row scale";
  static constexpr const char* kNorms = "row rms_norm add rms_norm quantize";
  static constexpr const char* kExps = "row gelu_tanh";
  static constexpr const char* kF32 = "linear f32";
  static constexpr const char* kInt8 = "linear q8_0";
  static constexpr double kLeastCall = 1e-8;

  const Probe& probe_;
  MachineFigures& m_;
};

// From memory.

// Far more than the caches of a core or a few keep for it. Some systems tell the size of all caches of a
// host.
constexpr int64_t kBeyondCaches = 256 << 20;

// What a walk takes between one within the caches and one far beyond them is what it reads from memory. Of
// each size the best of some walks, as others' work makes one slower, never faster; in turn, so that a while
// in which memory is slow is not one of them alone.
void measure_caches(MachineFigures& m) {
  constexpr MemoryWalk kWalk{4, 4096};
  constexpr int kRounds = 9;
  auto rates = MachineFigures{}.from_memory;
  rates.fill(0);
  const std::vector<std::byte> memory(static_cast<size_t>(weights_of_part(rates.size() - 1)), std::byte{1});
  MemoryTeam team(m.threads);
  for (int round = 0; round < kRounds; ++round) {
    for (size_t i = 0; i < rates.size(); ++i) {
      const auto size = static_cast<size_t>(weights_of_part(i));
      rates[i] = std::max(rates[i], team.read(std::span(memory).first(size), kWalk));
    }
  }
  const double within = 1 / rates.front(), beyond = 1 / rates.back();
  for (size_t i = 0; i < rates.size(); ++i)
    m.from_memory[i] =
        beyond > within ? std::clamp((1 / rates[i] - within) / (beyond - within), 0.0, 1.0) : 1;
}

// Weights far beyond the caches, in matrices of 8.9 MB, and a small row kernel in front of each: the shape of
// a model that decodes.
std::string uncached_text() {
  constexpr int64_t kIn = 2048, kOut = 4096;
  std::string weights, body, x = "%x";
  const int64_t pairs = kBeyondCaches / (2 * kIn * kOut);
  for (int64_t i = 0; i < 2 * pairs; ++i) {
    const int64_t in = i % 2 == 0 ? kIn : kOut, out = i % 2 == 0 ? kOut : kIn;
    weights += fmt::format("  weight @w{} : f32[{},{}]\n  weight @g{} : f32[{}]\n", i, out, in, i, in);
    const std::string y = i + 1 == 2 * pairs ? "%y" : fmt::format("%y{}", i);
    body += fmt::format(
        "  %n{2} = rms_norm({1}, @g{2}) {{eps=1e-6}}\n  %q{2} = quantize(%n{2})\n  %p{2} = quantize(@w{2})\n"
        "  {0} = linear(%q{2}, %p{2})\n",
        y, x, i);
    x = y;
  }
  return step_text(kIn, weights, body);
}

struct Uncached {
  double read = 0;   // bytes per second
  double small = 0;  // seconds of a row kernel beyond its work
};

Uncached measure_uncached(const Probe& probe, int threads, const MachineFigures& m) {
  const StepPlan& plan = probe.plan().decode;
  const auto steps = probe.times(threads, 0, std::vector<int64_t>(7, 1));
  std::vector<double> small, rates;
  for (size_t s = 0; s < plan.stages.size(); ++s) {
    const StageWork& w = plan.stages[s].work;
    if (w.family == "row") small.push_back(std::max(median_of(steps, s) - w.rows.ops / m.row - m.call, 0.0));
  }
  Uncached out{0, median(small)};
  for (size_t s = 0; s < plan.stages.size(); ++s) {
    const StageWork& w = plan.stages[s].work;
    if (w.products > 0) rates.push_back(w.weight_bytes / std::max(median_of(steps, s) - out.small, 1e-9));
  }
  out.read = median(rates);
  return out;
}

// Of a step of `tokens`, all its stages.
double median_seconds(const Probe& probe, int threads, int64_t tokens) {
  std::vector<double> seconds;
  for (const auto& stages : probe.times(threads, 0, std::vector<int64_t>(7, tokens)))
    seconds.push_back(std::accumulate(stages.begin(), stages.end(), 0.0));
  return median(seconds);
}

// How are weights better asked for? `probes`, by MachineFigures::prefetch. A step of one token and one of
// several count alike.
int best_prefetch(const std::vector<Probe>& probes, int threads) {
  constexpr int kRounds = 5;
  constexpr int kUsual = 1;          // is right for a CPU that does not mind
  constexpr double kWorthIt = 1.02;  // so much faster
  std::vector<double> gains(probes.size(), 1);
  for (const int64_t tokens : {1, 8}) {
    std::vector<std::vector<double>> ratios(probes.size());
    for (int round = 0; round < kRounds; ++round) {
      const double usual = median_seconds(probes[kUsual], threads, tokens);
      for (size_t i = 0; i < probes.size(); ++i)
        ratios[i].push_back(i == kUsual ? 1 : usual / median_seconds(probes[i], threads, tokens));
    }
    for (size_t i = 0; i < probes.size(); ++i) gains[i] *= std::sqrt(median(ratios[i]));
  }
  const auto best = std::max_element(gains.begin(), gains.end());
  return *best > kWorthIt ? static_cast<int>(best - gains.begin()) : kUsual;
}

}  // namespace

void measure_kernels(MachineFigures& m) {
  constexpr double kLeast = 1e-8;  // seconds: figures are above zero
  constexpr int kRounds = 5;
  CachedRates(Probe(kCached), m).measure();
  measure_caches(m);
  std::vector<Probe> probes;
  for (const int prefetch : {0, 1, 2}) probes.emplace_back(uncached_text(), prefetch);
  m.prefetch = best_prefetch(probes, m.threads);
  const Probe& uncached = probes[static_cast<size_t>(m.prefetch)];
  // One thread and all in turn; medians, as others' work does not spare what will be predicted either.
  std::vector<double> one, all, small;
  for (int i = 0; i < kRounds; ++i) {
    one.push_back(measure_uncached(uncached, 1, m).read);
    const Uncached of_all = measure_uncached(uncached, m.threads, m);
    all.push_back(of_all.read);
    small.push_back(of_all.small);
  }
  m.read_one = median(one);
  m.read_all = std::max(median(all), m.read_one);
  m.cold = std::max(median(small), kLeast);
}

}  // namespace lmc
