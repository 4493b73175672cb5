#include "tools/measure/profile/report_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "tools/cli/console.h"
#include "tools/cli/text_table.h"

namespace lmc {
namespace {

constexpr size_t kFirstSteps = 8;

std::string in_ms(double seconds) { return fmt::format("{:.3f}", seconds * 1e3); }
std::string us(double seconds) { return fmt::format("{:.1f}", seconds * 1e6); }
std::string percent(double share) { return fmt::format("{:.1f}%", share * 100); }
std::string dash_or(bool there, const std::string& text) { return there ? text : "-"; }
std::string title(const std::string& text) { return "\n" + text + "\n"; }

std::string machine(const Audit& a, const Recorder& r) {
  const AuditSetup& s = a.setup;
  std::string out = fmt::format("{} ({}, target {}), {} threads, {} tokens of prompt, {} decoded\n", s.bundle,
                                r.plan().model, r.plan().target, s.threads, s.prompt, s.decode);
  const ComputePeak& compute = s.peaks.compute;
  const std::string unit =
      compute.unit_macs > 0 ? fmt::format(" ({:.1f} by the matrix unit)", compute.unit_macs / 1e9) : "";
  out +=
      fmt::format("measured peaks: read {:.1f} GB/s, int8 {:.1f} G multiply-adds/s{}, f32 {:.1f} GFLOP/s\n",
                  s.peaks.read / 1e9, compute.int8_macs / 1e9, unit, compute.f32_flops / 1e9);
  return out;
}

// One row per step, then the summary of `audit`'s steps, which may be fewer.
std::string step_table(const std::vector<const StepRecord*>& steps, const PhaseAudit& audit) {
  TextTable t({"<step", "position", "tokens", "Embedding", "Layers", "Norm", "Projection", "Total ms"});
  for (size_t i = 0; i < std::min(steps.size(), kFirstSteps); ++i) {
    const StepRecord& s = *steps[i];
    std::vector<std::string> row = {std::to_string(i + 1), std::to_string(s.position),
                                    std::to_string(s.info.tokens)};
    for (const double x : s.times.sections) row.push_back(in_ms(x));
    row.push_back(in_ms(s.times.total));
    t.row(row);
  }
  if (steps.size() > kFirstSteps) t.row({fmt::format("({} more)", steps.size() - kFirstSteps)});
  t.rule();
  const auto summary = [&](const std::string& name, auto&& text) {
    std::vector<std::string> row = {name, "", ""};
    for (const SectionTimes& s : audit.sections) row.push_back(text(s));
    row.push_back(text(audit.total));
    t.row(row);
  };
  summary("mean", [](const SectionTimes& s) { return in_ms(s.stats.mean); });
  summary("min", [](const SectionTimes& s) { return in_ms(s.stats.min); });
  summary("max", [](const SectionTimes& s) { return in_ms(s.stats.max); });
  summary("variance, ms2",
          [](const SectionTimes& s) { return fmt::format("{:.3g}", s.stats.variance * 1e6); });
  summary("share", [](const SectionTimes& s) { return percent(s.share); });
  const bool norm_apart = audit.sections[static_cast<size_t>(Section::norm)].stats.max > 0;
  return t.str() + (norm_apart ? "" : "  the last norm is computed in the kernel of the projection\n");
}

std::string layer_table(const PhaseAudit& a) {
  std::set<std::string> parts;
  for (const LayerTimes& l : a.layers)
    for (const auto& [part, times] : l.parts) parts.insert(part);
  std::vector<std::string> columns = {"layer"};
  for (const std::string& p : parts) {
    columns.push_back(p + " ms");
    columns.push_back("share");
  }
  columns.push_back("layer ms");
  TextTable t(columns);
  std::map<std::string, PartTimes> all;
  double total = 0;
  const auto add_row = [&](const std::string& name, const std::map<std::string, PartTimes>& times,
                           double sum) {
    std::vector<std::string> row = {name};
    for (const std::string& p : parts) {
      const auto at = times.find(p);
      row.push_back(dash_or(at != times.end(), at == times.end() ? "" : in_ms(at->second.mean)));
      row.push_back(dash_or(at != times.end(), at == times.end() ? "" : percent(at->second.share)));
    }
    row.push_back(in_ms(sum));
    t.row(row);
  };
  for (size_t l = 0; l < a.layers.size(); ++l) {
    add_row(std::to_string(l), a.layers[l].parts, a.layers[l].total.mean);
    total += a.layers[l].total.mean;
    for (const auto& [part, times] : a.layers[l].parts) {
      all[part].mean += times.mean;
      all[part].share += times.share;
    }
  }
  t.rule();
  add_row("all", all, total);
  return t.str();
}

std::string rate(const KernelKind& k) {
  if (k.ops <= 0 || k.seconds <= 0) return "-";
  return k.int8 ? fmt::format("{:.1f} GMAC/s", k.ops / 2 / k.seconds / 1e9)
                : fmt::format("{:.2f} GFLOP/s", k.ops / k.seconds / 1e9);
}

std::string kernel_table(const PhaseAudit& a, const Peaks& peaks) {
  TextTable t({"<kernel", "per step", "us/call", "predicted", "in cache", "of a call", "ms/step", "share",
               "GB/s", "of read peak", "arithmetic", "workers", "<bound by"});
  for (const KernelKind& k : a.kernels) {
    const double rate_of_bytes = k.seconds > 0 ? k.bytes / k.seconds : 0;
    const double cached = k.seconds > 0 ? k.buffer_bytes / k.seconds : 0;
    t.row({k.label, fmt::format("{:.4g}", a.per_step(static_cast<double>(k.calls))),
           us(k.seconds / static_cast<double>(k.calls)), us(k.predicted / static_cast<double>(k.calls)),
           dash_or(k.in_cache > 0, us(k.in_cache)),
           dash_or(k.in_cache > 0, percent(k.in_cache * static_cast<double>(k.calls) / k.seconds)),
           in_ms(a.per_step(k.seconds)),
           percent(a.waiting.wall > 0 ? a.per_step(k.seconds) / a.waiting.wall : 0),
           rate_of_bytes > 0 ? fmt::format("{:.1f}", rate_of_bytes / 1e9)
           : cached > 0      ? fmt::format("({:.1f})", cached / 1e9)
                             : "-",
           dash_or(k.bytes > 0 && peaks.read > 0, fmt::format("{:.0f}%", 100 * rate_of_bytes / peaks.read)),
           rate(k), fmt::format("{:.2f}", k.seconds > 0 ? k.busy / k.seconds : 0),
           kBoundNames[static_cast<size_t>(k.bound())]});
  }
  return t.str() + "  predicted: us/call by the cost model and the figures of lmc machine\n" +
         "  in cache: us/call if nothing came from memory, by running tiles again and again\n"
         "  (GB/s): of the step's buffers, which stay in the CPU's caches\n";
}

std::string attention_table(const Audit& a) {
  TextTable t({"<part", "decode ms/step", "of step", "prefill ms/step", "of step"});
  for (size_t i = 0; i < a.decode.attention.size(); ++i) {
    const AttentionTime& d = a.decode.attention[i];
    std::vector<std::string> row = {d.name, in_ms(d.seconds), percent(d.share)};
    if (i < a.prefill.attention.size()) {
      const AttentionTime& p = a.prefill.attention[i];
      row.insert(row.end(), {in_ms(p.seconds), percent(p.share)});
    }
    t.row(row);
  }
  return t.str() +
         "  the fused kernel's time, cut by the cycles that a variant compiled for measuring counts\n";
}

std::string collective_table(const Audit& a) {
  TextTable t({"<collectives", "per step", "us/call", "sent a step", "got a step", "ms/step", "of step",
               "waiting ms"});
  for (const CollectiveKind& k : a.setup.collectives) {
    const double wall = a.decode.waiting.wall;
    t.row({k.part, fmt::format("{:.4g}", k.calls), us(k.calls > 0 ? k.seconds / k.calls : 0),
           human_bytes(k.sent), human_bytes(k.got), in_ms(k.seconds),
           percent(wall > 0 ? k.seconds / wall : 0), in_ms(k.waiting)});
  }
  return t.str() + "  waiting: for others, beyond the least that any rank spent in the same call\n";
}

std::string waiting_table(const Audit& a) {
  TextTable t({"<mean step", "wall ms", "wall x threads", "busy ms", "waiting ms", "of workers' time",
               "in stages", "between stages", "of wall"});
  const auto add_row = [&](const char* name, const Waiting& w) {
    const double all = w.wall * a.setup.threads;
    t.row({name, in_ms(w.wall), in_ms(all), in_ms(w.busy), in_ms(w.idle), percent(all > 0 ? w.idle / all : 0),
           in_ms(w.inside), in_ms(w.between), percent(w.wall > 0 ? w.between / w.wall : 0)});
  };
  add_row("decode", a.decode.waiting);
  add_row("prefill", a.prefill.waiting);
  return t.str() +
         "  waiting = wall x threads - busy; in stages: workers without a tile while others run one;\n"
         "  between stages: wall time in which no kernel runs\n";
}

std::string jitter_table(const PhaseAudit& a) {
  TextTable t({"<decode", "p50 ms", "p90", "p99", "max", "max/min"});
  const auto add_row = [&](const std::string& name, const Stats& s) {
    t.row({name, in_ms(s.p50), in_ms(s.p90), in_ms(s.p99), in_ms(s.max), fmt::format("{:.2f}", s.spread())});
  };
  add_row("step", a.total.stats);
  for (size_t l = 0; l < a.layers.size(); ++l) add_row(fmt::format("layer {}", l), a.layers[l].total);
  add_row("projection", a.sections[static_cast<size_t>(Section::projection)].stats);
  return t.str();
}

double over(double a, double b) { return b > 0 ? a / b : 0; }

std::string slow_table(const Audit& a) {
  const SlowSteps& slow = a.slow;
  if (slow.steps.empty()) return "";
  TextTable t({"<cause", "steps", "ms", "share", "<what it is"});
  for (size_t c = 0; c < kCauses; ++c) {
    t.row({kCauseNames[c], std::to_string(slow.main[c]), in_ms(slow.causes[c]),
           percent(over(slow.causes[c], slow.excess)), kCauseMeanings[c]});
  }
  return t.str() +
         "  steps: of which it explains most; ms: of the time beyond the median, at the most, by what it was "
         "more than\n  usual, those above first; the median and what is usual are those of the 32 steps on "
         "either side\n";
}

// What is left of jitter without others, and what the steps were slow for.
std::string slow_text(const Audit& a, bool knows_waits) {
  const SlowSteps& slow = a.slow;
  const Stats& all = a.decode.total.stats;
  const double steps = std::max(1.0, static_cast<double>(slow.of));
  std::string out = fmt::format("  p99 / p50 of a step: {:.3f}", over(all.p99, all.p50));
  if (slow.undisturbed_steps > 0) {
    out +=
        fmt::format("; of the {} of {} that lost less than {:.0f}% to others: {:.3f}", slow.undisturbed_steps,
                    slow.of, 100 * kUndisturbed, over(slow.undisturbed.p99, slow.undisturbed.p50));
  }
  out += fmt::format("\n  {} of {} steps took longer than {:.2f} x the median, together {} ms beyond it\n",
                     slow.steps.size(), slow.of, kSlow, in_ms(slow.excess));
  out += slow_table(a);
  const SystemCounters& c = slow.counted;
  out += fmt::format(
      "  a mean step: {} ms in which threads waited for a core, {:.2g} times one lost it; {:.2g} page "
      "faults, "
      "{:.2g} from the disk;\n  stolen from all CPUs in all steps: {:.0f} ms\n",
      in_ms(c.waited / steps), static_cast<double>(c.forced_switches) / steps,
      static_cast<double>(c.minor_faults) / steps, static_cast<double>(c.major_faults) / steps,
      c.stolen * 1e3);
  if (!knows_waits)
    out += "  this kernel does not say how long threads wait for a core: \"stolen\" is either\n";
  return out + fmt::format("  reading this takes {} us, {:.2f}% of a step, between two steps\n",
                           us(slow.reading), 100 * over(slow.reading, all.p50));
}

std::string phase_table(const Audit& a) {
  TextTable t({"<section", "prefill ms/token", "share", "decode ms/token", "share", "decode / prefill"});
  const auto add_row = [&](const std::string& name, const SectionTimes& p, const SectionTimes& d) {
    const double prefill = p.share * a.prefill.seconds_per_token();
    const double decode = d.share * a.decode.seconds_per_token();
    t.row({name, fmt::format("{:.4f}", prefill * 1e3), percent(p.share), fmt::format("{:.4f}", decode * 1e3),
           percent(d.share),
           dash_or(prefill > 0, fmt::format("{:.1f}", prefill > 0 ? decode / prefill : 0))});
  };
  for (size_t i = 0; i < kSectionNames.size(); ++i)
    add_row(kSectionNames[i], a.prefill.sections[i], a.decode.sections[i]);
  t.rule();
  add_row("Total", a.prefill.total, a.decode.total);
  return t.str();
}

std::string bottleneck_table(const PhaseAudit& a) {
  TextTable t({"rank", "gain ms", "of step", "now ms", "bound ms", "<what", "<why"});
  size_t rank = 0;
  double all = 0;
  for (const Bottleneck& b : a.bottlenecks) {
    t.row({std::to_string(++rank), in_ms(b.gain), percent(b.share), in_ms(b.now), in_ms(b.bound), b.what,
           b.why});
    all += b.gain;
  }
  t.rule();
  t.row({"all", in_ms(all), percent(a.waiting.wall > 0 ? all / a.waiting.wall : 0)});
  return t.str();
}

std::string cold_text(const Audit& a) {
  double warm_prefill = 0;
  for (const StepRecord* s : a.prefill.steps) warm_prefill += s->times.total;
  const auto ratio = [](double cold, double warm) { return warm > 0 ? cold / warm : 0; };
  return fmt::format("  decode:  first step {} ms, median of the rest {} ms: {:.2f} x\n", in_ms(a.first),
                     in_ms(a.median), ratio(a.first, a.median)) +
         fmt::format("  prefill: first time {} ms, second time {} ms: {:.2f} x\n", in_ms(a.cold_prefill),
                     in_ms(warm_prefill), ratio(a.cold_prefill, warm_prefill));
}

}  // namespace

std::string report_text(const Audit& a, const Recorder& recorder) {
  std::string out = machine(a, recorder);
  out += title("Decode steps (the summary leaves out the first, cold one)");
  out += step_table(recorder.steps(Phase::decode), a.decode);
  out += title("Prefill steps");
  out += step_table(a.prefill.steps, a.prefill);
  out += title("Cold against warm") + cold_text(a);
  out += title("Layers, decode (share of the step)") + layer_table(a.decode);
  if (!a.decode.attention.empty()) out += title("Attention taken apart, all layers") + attention_table(a);
  out += title("Kernels, decode") + kernel_table(a.decode, a.setup.peaks);
  out += title("Kernels, prefill") + kernel_table(a.prefill, a.setup.peaks);
  if (!a.setup.collectives.empty()) out += title("Between ranks, decode") + collective_table(a);
  out += title("Waiting and scheduling, per step") + waiting_table(a);
  out += title("Jitter") + jitter_table(a.decode) + slow_text(a, recorder.knows_waits());
  out += title("Prefill against decode") + phase_table(a);
  out += title("Bottlenecks of prefill, by the most that mending each could give");
  out += bottleneck_table(a.prefill);
  out += title("Bottlenecks of decode, by the most that mending each could give");
  out += bottleneck_table(a.decode);
  return out;
}

}  // namespace lmc
