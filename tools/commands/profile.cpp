// lmc profile: where the time of a run goes, step by step and kernel by kernel, and what could be gained.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "tools/cli/command.h"
#include "tools/cli/console.h"
#include "tools/generate/engine.h"
#include "tools/generate/ranks.h"
#include "tools/machine/machine.h"
#include "tools/machine/membw.h"
#include "tools/measure/bench/speed.h"
#include "tools/measure/profile/page.h"
#include "tools/measure/profile/report_json.h"
#include "tools/measure/profile/report_text.h"
#include "tools/measure/profile/trace.h"

namespace lmc::profile_command {
namespace {

struct Options {
  std::string bundle, trace, html;
  int64_t prompt = 128, decode = 64;
  EngineLoad load;
  int threads = 0;
  bool json = false;
};

// Before the run rather than after it. Leaves what is there as it is.
void check_writable(const std::string& path) {
  if (path.empty()) return;
  std::error_code ignored;
  const bool existed = std::filesystem::exists(path, ignored);
  if (!std::ofstream(path, std::ios::app)) throw Error(path + ": cannot write: " + std::strerror(errno));
  if (!existed) std::filesystem::remove(path, ignored);
}

void record(Session& session, Recorder& recorder, const Options& o) {
  const std::vector<int32_t> prompt = made_up_tokens(o.prompt, session.vocab());
  for (const Phase phase : {Phase::cold_prefill, Phase::prefill}) {
    session.reset();
    recorder.begin(phase, 0);
    session.step(prompt);
    stop_if_interrupted();
  }
  recorder.begin(Phase::decode, session.position());
  for (const int32_t token : made_up_tokens(o.decode, session.vocab())) {
    session.step(std::span(&token, 1));
    stop_if_interrupted();
  }
}

// Weights that fit into the caches say nothing of the memory: it is measured elsewhere then. Reading them can
// be faster than that ceiling.
ReadBandwidth memory_bandwidth(std::span<const std::byte> weights, int threads) {
  constexpr size_t kFarMoreThanCaches = 128 << 20;
  if (weights.size() >= kFarMoreThanCaches) return measure_read_bandwidth(weights, threads);
  return measure_read_bandwidth(std::vector<std::byte>(kFarMoreThanCaches, std::byte{1}), threads);
}

// Others may use the machine too: the better of what was measured before and after the run is the ceiling.
void raise(Peaks& peaks, const Bundle& bundle, int threads) {
  peaks.compute = better_of(peaks.compute, measure_compute_peak(threads, bundle.plan.target));
  peaks.read = std::max(peaks.read, memory_bandwidth(bundle.weight_file(), threads).bytes_per_second);
}

void run(const Options& o) {
  if (!o.trace.empty() && o.trace == o.html) throw UsageError("--trace and --html name the same file");
  check_writable(o.trace);
  check_writable(o.html);
  std::unique_ptr<Recorder> recorder;
  CollectiveTimes collectives;
  const auto listen = [&](const StepPlan& plan, const StepInfo& step, const Profile& times) {
    if (recorder) (*recorder)(plan, step, times);
    collectives(plan, step, times);
  };
  Collective* const ranks = ranks_of_this_run(o.threads);
  Engine engine(o.bundle.empty() ? newest_bundle() : o.bundle,
                {.threads = o.threads, .profile = true, .on_step = listen, .collective = ranks}, o.load);
  Session& s = engine.session();
  if (engine.follows()) {
    collectives.kinds(engine.bundle().plan, *ranks);  // rank 0 compares them with its own
    return;
  }
  if (o.prompt > s.context() || o.decode > s.context() - o.prompt) {
    throw UsageError(
        fmt::format("-p {} and -n {} together exceed the context of {}", o.prompt, o.decode, s.context()));
  }
  engine.warm_up();
  AuditSetup setup{.bundle = engine.bundle().path,
                   .threads = s.threads(),
                   .prompt = o.prompt,
                   .decode = o.decode,
                   .machine = machine_figures(s.threads()),
                   .page_fault = page_fault_seconds()};
  raise(setup.peaks, engine.bundle(), s.threads());
  recorder = std::make_unique<Recorder>(engine.bundle().plan);
  record(s, *recorder, o);
  raise(setup.peaks, engine.bundle(), s.threads());
  setup.in_cache = measure_in_cache(*recorder, s);
  if (ranks) {  // each has a graph of its own: attention is not taken apart
    s.let_go();
    setup.collectives = collectives.kinds(engine.bundle().plan, *ranks);
  } else {
    setup.attention = measure_attention_parts(engine.bundle(), s.threads(), o.prompt, o.decode);
  }
  const Audit audit = audit_of(*recorder, setup);
  if (!o.trace.empty()) write_file(o.trace, trace_json(*recorder));
  if (!o.html.empty()) write_file(o.html, profile_page(audit, *recorder));
  if (o.json) {
    fmt::print("{}\n", dumped(report_json(audit, *recorder)));
  } else {
    fmt::print("{}", report_text(audit, *recorder));
  }
}

const RegisterCommand kProfile(
    {"profile", "show where the time of a run goes, and what could be gained", [](Flags& flags) {
       auto o = std::make_shared<Options>();
       flags.option("bundle", o->bundle, "the bundle; the newest *.lmc here if left out").type_name("BUNDLE");
       add_trust_flag(flags);
       flags.option("-p,--prompt-tokens", o->prompt, "tokens to prefill").positive().shows_default();
       flags.option("-n,--tokens", o->decode, "tokens to decode").positive().shows_default();
       add_threads_flag(flags, o->threads);
       flags.flag("--json", o->json, "print one JSON object");
       flags.option("--trace", o->trace, "write a trace for Perfetto or chrome://tracing").type_name("FILE");
       flags.option("--html", o->html, "write a page with pictures").type_name("FILE");
       add_load_flags(flags, o->load);
       return [o] { run(*o); };
     }});

}  // namespace
}  // namespace lmc::profile_command
