// lmc bench: how fast a bundle decodes and prefills, beside what the memory allows in the same run.
#include <fmt/format.h>

#include <algorithm>

#include "tools/command.h"
#include "tools/console.h"
#include "tools/engine.h"
#include "tools/membw.h"

namespace lmc {
namespace {

struct Options {
  std::string bundle;
  int64_t prompt = 128, generate = 32;
  LoadOptions load;
  int threads = 0;
  bool json = false;
};

double percentile(std::vector<double> v, double p) {
  std::sort(v.begin(), v.end());
  return v[static_cast<size_t>(p * static_cast<double>(v.size() - 1))];
}

// Bytes that one decode step must read: its weights, and the cache up to `position`.
double step_bytes(const Plan& plan, int64_t position) {
  double bytes = 0;
  for (const PlanStage& s : plan.decode.stages) bytes += s.weight_bytes;
  for (const PlanCache& c : plan.caches) {
    const auto seen = static_cast<double>(std::min(position, c.span));
    bytes += seen * 2 * static_cast<double>(c.kv_heads * c.head_dim) * (c.dtype == DType::kv_f16 ? 2 : 4);
  }
  return bytes;
}

void run(const Options& o) {
  Engine engine(o.bundle.empty() ? newest_bundle() : o.bundle, {.threads = o.threads}, o.load);
  Session& s = engine.session();
  const Plan& plan = engine.bundle().plan;
  if (o.prompt + o.generate > s.context()) {
    throw UsageError(
        fmt::format("-p {} and -n {} together exceed the context of {}", o.prompt, o.generate, s.context()));
  }
  s.warm_up();
  const auto bandwidth = [&] {
    return measure_read_bandwidth(engine.bundle().weight_file(), s.threads()).bytes_per_second;
  };
  double read = bandwidth();
  const std::vector<int32_t> prompt(static_cast<size_t>(o.prompt), 1);
  s.step(prompt);  // the first of each kind is warm-up
  s.reset();
  auto start = std::chrono::steady_clock::now();
  s.step(prompt);
  const double prefill = seconds_since(start);
  read = std::max(read, bandwidth());
  std::vector<double> steps;
  const int64_t depth = s.position();
  for (int64_t i = 0; i < o.generate; ++i) {
    stop_if_interrupted();
    start = std::chrono::steady_clock::now();
    s.step(std::vector<int32_t>{1});
    steps.push_back(seconds_since(start));
  }
  read = std::max(read, bandwidth());
  const double median = percentile(steps, 0.5);
  const double bytes = step_bytes(plan, depth);
  const double fraction = bytes / median / read;
  if (o.json) {
    fmt::print(
        "{{\"threads\":{},\"prefill_tokens_per_second\":{:.6g},\"decode_tokens_per_second\":{:.6g},\"decode_"
        "p90_ms\":{:.6g},"
        "\"step_bytes\":{:.9g},\"read_bandwidth_gb_s\":{:.6g},\"decode_fraction_of_read_bandwidth\":{:.6g}}}"
        "\n",
        s.threads(), static_cast<double>(o.prompt) / prefill, 1 / median, percentile(steps, 0.9) * 1e3, bytes,
        read / 1e9, fraction);
    return;
  }
  fmt::print("threads                 {}\n", s.threads());
  fmt::print("prefill {:>5} tokens    {:.1f} tokens/s\n", o.prompt, static_cast<double>(o.prompt) / prefill);
  fmt::print("decode at {:>5}         {:.2f} tokens/s (step p50 {:.2f} ms, p90 {:.2f} ms, max {:.2f} ms)\n",
             depth, 1 / median, median * 1e3, percentile(steps, 0.9) * 1e3, percentile(steps, 1) * 1e3);
  fmt::print("bytes per step          {} at {:.1f} GB/s\n", human_bytes(bytes), bytes / median / 1e9);
  fmt::print("best read bandwidth     {:.1f} GB/s, measured before, between and after\n", read / 1e9);
  fmt::print("decode fraction of it   {:.0f}%\n", fraction * 100);
}

const RegisterCommand kBench({"bench", "measure a bundle's speed beside the memory's", [](CLI::App& app) {
                                auto o = std::make_shared<Options>();
                                app.add_option("bundle", o->bundle,
                                               "the bundle; the newest *.lmc here if left out");
                                app.add_option("-p,--prompt-tokens", o->prompt, "tokens to prefill")
                                    ->check(CLI::PositiveNumber)
                                    ->capture_default_str();
                                app.add_option("-n,--tokens", o->generate, "tokens to decode")
                                    ->check(CLI::PositiveNumber)
                                    ->capture_default_str();
                                app.add_option("-t,--threads", o->threads,
                                               "threads (default: physical cores)")
                                    ->check(CLI::Range(1, 1024));
                                app.add_flag("--json", o->json, "print one JSON object");
                                add_load_flags(app, o->load);
                                return [o] { run(*o); };
                              }});

}  // namespace
}  // namespace lmc
