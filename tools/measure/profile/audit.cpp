#include "tools/measure/profile/audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace lmc {
namespace {

std::vector<double> totals(const std::vector<const StepRecord*>& steps) {
  std::vector<double> out;
  for (const StepRecord* s : steps) out.push_back(s->times.total);
  return out;
}

double sum(const std::vector<double>& v) {
  double out = 0;
  for (const double x : v) out += x;
  return out;
}

void add_sections(PhaseAudit& a) {
  a.total = {stats_of(totals(a.steps)), 1};
  for (size_t i = 0; i < a.sections.size(); ++i) {
    std::vector<double> times;
    for (const StepRecord* s : a.steps) times.push_back(s->times.sections[i]);
    a.sections[i].stats = stats_of(times);
    if (a.total.stats.mean > 0) a.sections[i].share = a.sections[i].stats.mean / a.total.stats.mean;
  }
}

void add_layers(PhaseAudit& a) {
  std::vector<std::vector<double>> times;  // by layer, then step
  for (const StepRecord* s : a.steps) {
    times.resize(std::max(times.size(), s->times.layers.size()));
    a.layers.resize(times.size());
    for (size_t l = 0; l < s->times.layers.size(); ++l) {
      double all = 0;
      for (const auto& [part, seconds] : s->times.layers[l]) {
        all += seconds;
        a.layers[l].parts[part].mean += a.per_step(seconds);
      }
      times[l].push_back(all);
    }
  }
  for (size_t l = 0; l < a.layers.size(); ++l) {
    a.layers[l].total = stats_of(times[l]);
    for (auto& [part, t] : a.layers[l].parts)
      t.share = a.total.stats.mean > 0 ? t.mean / a.total.stats.mean : 0;
  }
}

void add_waiting(PhaseAudit& a, int threads) {
  Waiting& w = a.waiting;
  w.wall = a.total.stats.mean;
  for (const StepRecord* s : a.steps) {
    w.busy += a.per_step(s->busy);
    w.between += a.per_step(s->between);
  }
  w.idle = std::max(0.0, w.wall * threads - w.busy);
  w.inside = std::max(0.0, w.idle - w.between * threads);
}

std::string why(const KernelKind& k, int threads) {
  const double workers = k.seconds > 0 ? k.busy / k.seconds : 0;
  std::string out = fmt::format("{} bound", kBoundNames[static_cast<size_t>(k.bound())]);
  if (k.at_roofline() > 0) out += fmt::format(", {:.0f}% of roofline", 100 * k.at_roofline() / k.seconds);
  if (threads > 1) out += fmt::format(", {:.2f} of {} workers", workers, threads);
  return out;
}

void add_bottlenecks(PhaseAudit& a, int threads) {
  for (const KernelKind& k : a.kernels) {
    a.bottlenecks.push_back({k.label, why(k, threads), a.per_step(k.seconds), a.per_step(k.at_roofline()),
                             a.per_step(k.excess()), 0});
  }
  a.bottlenecks.push_back({"scheduling and waiting between stages", "wall time in which no kernel runs",
                           a.waiting.between, 0, a.waiting.between, 0});
  for (Bottleneck& b : a.bottlenecks) b.share = a.waiting.wall > 0 ? b.gain / a.waiting.wall : 0;
  std::stable_sort(a.bottlenecks.begin(), a.bottlenecks.end(),
                   [](const Bottleneck& x, const Bottleneck& y) { return x.gain > y.gain; });
}

// Projections are the linears in front, the output the one behind; the fused kernel's time is cut by the
// shares of its parts.
void add_attention(PhaseAudit& a, const AttentionShares& shares) {
  if (shares == AttentionShares()) return;  // nobody has measured them
  std::vector<AttentionTime> out = {{"projections"}, {"scores QK^T"}, {"softmax"},
                                    {"values AV"},   {"output"},      {"norm, rope, cache, rest"}};
  double all = 0;
  for (const KernelKind& k : a.kernels) {
    if (k.part != "attention") continue;
    const double seconds = a.per_step(k.seconds);
    all += seconds;
    if (k.attends) {
      for (size_t i = 0; i < shares.size(); ++i) out[1 + i].seconds += shares[i] * seconds;
    } else {
      out[!k.contracts ? 5 : k.role == "attn_o" ? 4 : 0].seconds += seconds;
    }
  }
  if (all <= 0) return;
  for (AttentionTime& t : out) t.share = a.waiting.wall > 0 ? t.seconds / a.waiting.wall : 0;
  a.attention = std::move(out);
}

PhaseAudit phase_audit(const Recorder& recorder, std::vector<const StepRecord*> steps,
                       const AuditSetup& setup, const AttentionShares& shares) {
  PhaseAudit a;
  a.steps = std::move(steps);
  for (const StepRecord* s : a.steps) a.tokens += s->info.tokens;
  add_sections(a);
  add_layers(a);
  a.kernels = kernel_kinds(recorder, a.steps, setup.peaks, setup.machine, setup.in_cache);
  add_waiting(a, setup.threads);
  add_attention(a, shares);
  add_bottlenecks(a, setup.threads);
  return a;
}

const StepRecord* typical_step(const PhaseAudit& a, double median) {
  const StepRecord* best = nullptr;
  for (const StepRecord* s : a.steps) {
    const auto distance = [&](const StepRecord* r) { return std::abs(r->times.total - median); };
    if (!s->tiles.empty() && (!best || distance(s) < distance(best))) best = s;
  }
  return best;
}

}  // namespace

double PhaseAudit::seconds_per_token() const {
  return tokens > 0 ? total.stats.mean * static_cast<double>(steps.size()) / static_cast<double>(tokens) : 0;
}

Audit audit_of(const Recorder& recorder, const AuditSetup& setup) {
  Audit a;
  a.setup = setup;
  std::vector<const StepRecord*> decode = recorder.steps(Phase::decode);
  a.first = decode.empty() ? 0 : decode.front()->times.total;
  if (decode.size() > 1) decode.erase(decode.begin());
  a.decode = phase_audit(recorder, std::move(decode), setup, setup.attention.decode);
  a.slow = slow_steps(a.decode.steps, setup.threads, setup.page_fault);
  a.prefill = phase_audit(recorder, recorder.steps(Phase::prefill), setup, setup.attention.prefill);
  a.median = a.decode.total.stats.p50;
  a.cold_prefill = sum(totals(recorder.steps(Phase::cold_prefill)));
  a.picture = typical_step(a.decode, a.median);
  return a;
}

}  // namespace lmc
