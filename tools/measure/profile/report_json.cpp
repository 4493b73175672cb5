#include "tools/measure/profile/report_json.h"

#include <cmath>

#include "tools/machine/machine.h"

namespace lmc {
namespace {

using Json = nlohmann::ordered_json;

double ms(double seconds) { return rounded(seconds * 1e3); }

Json stats_json(const Stats& s) {
  return {{"mean_ms", ms(s.mean)}, {"min_ms", ms(s.min)},
          {"max_ms", ms(s.max)},   {"variance_ms2", rounded(s.variance * 1e6)},
          {"p50_ms", ms(s.p50)},   {"p90_ms", ms(s.p90)},
          {"p99_ms", ms(s.p99)},   {"max_over_min", rounded(s.spread())}};
}

Json counters_json(const SystemCounters& c) {
  return {{"on_core_ms", ms(c.on_core)},    {"waited_for_core_ms", ms(c.waited)},
          {"stolen_ms", ms(c.stolen)},      {"minor_faults", c.minor_faults},
          {"major_faults", c.major_faults}, {"forced_switches", c.forced_switches}};
}

Json step_json(const StepRecord& s, int threads) {
  Json j = {{"position", s.position}, {"tokens", s.info.tokens}};
  for (size_t i = 0; i < kSectionNames.size(); ++i) j[kSectionNames[i]] = ms(s.times.sections[i]);
  j["Total"] = ms(s.times.total);
  j["busy_ms"] = ms(s.busy);
  j["waiting_ms"] = ms(std::max(0.0, s.times.total * threads - s.busy));
  j["between_stages_ms"] = ms(s.between);
  j["system"] = counters_json(s.system);
  j["clock_probe_us"] = rounded(s.clock * 1e6);
  return j;
}

Json steps_json(const std::vector<const StepRecord*>& steps, int threads) {
  Json out = Json::array();
  for (const StepRecord* s : steps) out.push_back(step_json(*s, threads));
  return out;
}

Json sections_json(const PhaseAudit& a) {
  Json out;
  const auto add = [&](const char* name, const SectionTimes& s) {
    out[name] = stats_json(s.stats);
    out[name]["share"] = rounded(s.share);
    out[name]["ms_per_token"] = ms(s.share * a.seconds_per_token());
  };
  for (size_t i = 0; i < kSectionNames.size(); ++i) add(kSectionNames[i], a.sections[i]);
  add("Total", a.total);
  return out;
}

Json layers_json(const PhaseAudit& a) {
  Json out = Json::array();
  for (size_t l = 0; l < a.layers.size(); ++l) {
    Json parts;
    for (const auto& [part, t] : a.layers[l].parts)
      parts[part] = {{"mean_ms", ms(t.mean)}, {"share", rounded(t.share)}};
    out.push_back({{"layer", l}, {"parts", parts}, {"total", stats_json(a.layers[l].total)}});
  }
  return out;
}

Json kernels_json(const PhaseAudit& a, const Peaks& peaks) {
  Json out = Json::array();
  for (const KernelKind& k : a.kernels) {
    const auto per_second = [&](double sum) { return k.seconds > 0 ? sum / k.seconds : 0; };
    Json j = {{"label", k.label},
              {"family", k.family},
              {"part", k.part},
              {"calls_per_step", rounded(a.per_step(static_cast<double>(k.calls)))},
              {"us_per_call", rounded(k.seconds / static_cast<double>(k.calls) * 1e6)},
              {"predicted_us_per_call", rounded(k.predicted / static_cast<double>(k.calls) * 1e6)},
              {"ms_per_step", ms(a.per_step(k.seconds))},
              {"share", rounded(a.waiting.wall > 0 ? a.per_step(k.seconds) / a.waiting.wall : 0)},
              {"buffer_bytes_per_call", rounded(k.buffer_bytes / static_cast<double>(k.calls))},
              {"bytes_per_call", rounded(k.bytes / static_cast<double>(k.calls))},
              {"ops_per_call", rounded(k.ops / static_cast<double>(k.calls))},
              {"gb_s", rounded(per_second(k.bytes) / 1e9)},
              {"share_of_read_peak", rounded(peaks.read > 0 ? per_second(k.bytes) / peaks.read : 0)},
              {"arithmetic", k.int8 ? "int8" : "f32"},
              {"gop_s", rounded(per_second(k.ops) / 1e9)},
              {"workers", rounded(per_second(k.busy))},
              {"roofline_ms_per_step", ms(a.per_step(k.at_roofline()))},
              {"bound", kBoundNames[static_cast<size_t>(k.bound())]}};
    if (k.in_cache > 0) j["in_cache_us_per_call"] = rounded(k.in_cache * 1e6);
    if (k.int8) j["gmac_s"] = rounded(per_second(k.ops) / 2e9);
    out.push_back(std::move(j));
  }
  return out;
}

Json attention_json(const PhaseAudit& a) {
  Json out = Json::array();
  for (const AttentionTime& t : a.attention)
    out.push_back({{"part", t.name}, {"ms_per_step", ms(t.seconds)}, {"share", rounded(t.share)}});
  return out;
}

Json waiting_json(const Waiting& w, int threads) {
  const double all = w.wall * threads;
  return {{"wall_ms", ms(w.wall)},
          {"workers_ms", ms(all)},
          {"busy_ms", ms(w.busy)},
          {"waiting_ms", ms(w.idle)},
          {"waiting_share", rounded(all > 0 ? w.idle / all : 0)},
          {"waiting_in_stages_ms", ms(w.inside)},
          {"between_stages_ms", ms(w.between)},
          {"between_stages_share", rounded(w.wall > 0 ? w.between / w.wall : 0)}};
}

Json jitter_json(const PhaseAudit& a) {
  Json layers = Json::array();
  for (const LayerTimes& l : a.layers) layers.push_back(stats_json(l.total));
  return {{"step", stats_json(a.total.stats)},
          {"layers", layers},
          {"projection", stats_json(a.sections[static_cast<size_t>(Section::projection)].stats)}};
}

Json causes_json(const Excess& causes) {
  Json out = Json::object();
  for (size_t c = 0; c < kCauses; ++c) out[kCauseNames[c]] = ms(causes[c]);
  return out;
}

// Of decode steps without the first: `step` counts from 0 among all.
Json slow_json(const Audit& a, const Recorder& recorder) {
  const size_t first = recorder.steps(Phase::decode).size() - a.slow.of;
  Json steps = Json::array();
  for (const SlowStep& s : a.slow.steps) {
    steps.push_back({{"step", first + s.index},
                     {"beyond_median_ms", ms(s.excess)},
                     {"cause", kCauseNames[static_cast<size_t>(s.main())]},
                     {"causes_ms", causes_json(s.causes)}});
  }
  return {{"beyond", kSlow},
          {"of", a.slow.of},
          {"beyond_median_ms", ms(a.slow.excess)},
          {"causes_ms", causes_json(a.slow.causes)},
          {"steps", steps},
          {"undisturbed_steps", a.slow.undisturbed_steps},
          {"undisturbed", stats_json(a.slow.undisturbed)},
          {"counted", counters_json(a.slow.counted)},
          {"knows_waits", recorder.knows_waits()},
          {"reading_us", rounded(a.slow.reading * 1e6)}};
}

Json bottlenecks_json(const PhaseAudit& a) {
  Json out = Json::array();
  for (const Bottleneck& b : a.bottlenecks) {
    out.push_back({{"what", b.what},
                   {"why", b.why},
                   {"now_ms", ms(b.now)},
                   {"bound_ms", ms(b.bound)},
                   {"gain_ms", ms(b.gain)},
                   {"gain_share", rounded(b.share)}});
  }
  return out;
}

// `all` are the phase's steps, of which the summary may leave out some.
Json phase_json(const PhaseAudit& a, const std::vector<const StepRecord*>& all, const AuditSetup& setup) {
  return {{"steps", steps_json(all, setup.threads)},
          {"sections", sections_json(a)},
          {"tokens_per_second", rounded(a.tokens > 0 ? 1 / a.seconds_per_token() : 0)},
          {"layers", layers_json(a)},
          {"kernels", kernels_json(a, setup.peaks)},
          {"attention", attention_json(a)},
          {"waiting", waiting_json(a.waiting, setup.threads)},
          {"jitter", jitter_json(a)},
          {"bottlenecks", bottlenecks_json(a)}};
}

Json collectives_json(const AuditSetup& setup) {
  Json out = Json::array();
  for (const CollectiveKind& k : setup.collectives) {
    out.push_back({{"part", k.part},
                   {"calls_per_step", rounded(k.calls)},
                   {"sent_bytes_per_step", k.sent},
                   {"got_bytes_per_step", k.got},
                   {"ms_per_step", ms(k.seconds)},
                   {"waiting_ms_per_step", ms(k.waiting)}});
  }
  return out;
}

Json cold_json(const Audit& a) {
  double warm = 0;
  for (const StepRecord* s : a.prefill.steps) warm += s->times.total;
  return {{"decode_first_ms", ms(a.first)},
          {"decode_median_of_rest_ms", ms(a.median)},
          {"decode_ratio", rounded(a.median > 0 ? a.first / a.median : 0)},
          {"prefill_first_ms", ms(a.cold_prefill)},
          {"prefill_second_ms", ms(warm)},
          {"prefill_ratio", rounded(warm > 0 ? a.cold_prefill / warm : 0)}};
}

}  // namespace

std::string dumped(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

double rounded(double value) {
  if (value == 0 || !std::isfinite(value)) return 0;
  const double scale = std::pow(10.0, 5 - std::floor(std::log10(std::abs(value))));
  return std::isfinite(scale) ? std::round(value * scale) / scale : value;
}

Json report_json(const Audit& a, const Recorder& recorder) {
  const AuditSetup& s = a.setup;
  return {{"bundle", s.bundle},
          {"model", recorder.plan().model},
          {"target", recorder.plan().target},
          {"threads", s.threads},
          {"prompt_tokens", s.prompt},
          {"decode_tokens", s.decode},
          {"peaks",
           {{"read_gb_s", rounded(s.peaks.read / 1e9)},
            {"int8_gmac_s", rounded(s.peaks.compute.int8_macs / 1e9)},
            {"unit_gmac_s", rounded(s.peaks.compute.unit_macs / 1e9)},
            {"f32_gflop_s", rounded(s.peaks.compute.f32_flops / 1e9)}}},
          {"machine", figures_json(s.machine)},
          {"cold", cold_json(a)},
          {"slow_steps", slow_json(a, recorder)},
          {"collectives", collectives_json(s)},
          {"decode", phase_json(a.decode, recorder.steps(Phase::decode), s)},
          {"prefill", phase_json(a.prefill, a.prefill.steps, s)}};
}

}  // namespace lmc
