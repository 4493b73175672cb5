// The results of `lmc bench` as Markdown, CSV and JSON.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/cli/console.h"
#include "tools/machine/statistics.h"
#include "tools/measure/bench/bench.h"

namespace lmc {
namespace {

using Json = nlohmann::ordered_json;

bool has_steps(const SpeedResult& r) { return r.test.kind != SpeedTest::Kind::prefill; }

double step_ms(const SpeedResult& r, double p) { return percentile(r.steps, p) * 1e3; }

double jitter(const SpeedResult& r) { return step_ms(r, 0.99) / step_ms(r, 0.5); }

double decode_gb_s(const SpeedResult& r) { return r.step_bytes / median(r.steps) / 1e9; }

std::vector<std::string> notes(const BenchResult& b) {
  std::vector<std::string> out;
  if (b.in_cache) {
    out.push_back(fmt::format(
        "{} of weights fit in the last-level cache ({}) at least in part: bandwidth is the cache's",
        human_bytes(b.weight_file_bytes), human_bytes(static_cast<double>(last_level_cache_bytes()))));
  }
  if (b.cold_kept > 0.01) {
    out.push_back(fmt::format("the system kept {:.0f}% of the weights cached: the cold start was not cold",
                              b.cold_kept * 100));
  }
  return out;
}

std::string markdown(const std::vector<BenchResult>& results) {
  std::string out =
      "| bundle | threads | test | tokens/s | median | step p50 ms | p90 | p99 | max | p99/p50 | GB/s | of "
      "read "
      "bandwidth |\n|---|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n";
  for (const BenchResult& b : results) {
    for (const SpeedResult& r : b.tests) {
      out += fmt::format("| {} | {} | {} | {:.2f} ± {:.2f} | {:.2f} |", b.bundle, b.threads, r.test.name(),
                         mean(r.rates), standard_deviation(r.rates), median(r.rates));
      if (has_steps(r)) {
        out += fmt::format(" {:.2f} | {:.2f} | {:.2f} | {:.2f} | {:.2f} | {:.1f} | {:.1f}% |\n",
                           step_ms(r, 0.5), step_ms(r, 0.9), step_ms(r, 0.99), step_ms(r, 1), jitter(r),
                           decode_gb_s(r), b.fraction(r) * 100);
      } else {
        out += " | | | | | | |\n";
      }
    }
  }
  out +=
      "\n| bundle | threads | weights | read bandwidth GB/s | load ms | first token cold ms | warm ms | peak "
      "memory |\n|---|--:|--:|--:|--:|--:|--:|--:|\n";
  for (const BenchResult& b : results) {
    out +=
        fmt::format("| {} | {} | {} | {:.1f} | {:.0f} | {:.0f} | {:.0f} | {} |\n", b.bundle, b.threads,
                    human_bytes(b.weight_file_bytes), b.read.bytes_per_second / 1e9, b.warm.load * 1e3,
                    b.cold.total * 1e3, b.warm.total * 1e3, human_bytes(static_cast<double>(b.peak_memory)));
  }
  for (const BenchResult& b : results) {
    for (const std::string& note : notes(b)) out += fmt::format("\n{}: {}\n", b.bundle, note);
  }
  return out;
}

std::string csv(const std::vector<BenchResult>& results) {
  std::string out =
      "bundle,threads,test,tokens,depth,mean_tokens_per_second,median_tokens_per_second,stddev,p50_ms,p90_ms,"
      "p99_ms,max_ms,gb_s,fraction_of_read_bandwidth,read_bandwidth_gb_s,load_ms,first_token_cold_ms,"
      "first_token_warm_ms,peak_memory_bytes\n";
  for (const BenchResult& b : results) {
    for (const SpeedResult& r : b.tests) {
      std::string name = b.bundle;
      for (size_t at = 0; (at = name.find('"', at)) != std::string::npos; at += 2) name.insert(at, 1, '"');
      out += fmt::format("\"{}\",{},{},{},{},{:.6g},{:.6g},{:.6g},", name, b.threads, r.test.name(),
                         r.test.tokens, r.test.depth, mean(r.rates), median(r.rates),
                         standard_deviation(r.rates));
      if (has_steps(r)) {
        out += fmt::format("{:.6g},{:.6g},{:.6g},{:.6g},{:.6g},{:.6g},", step_ms(r, 0.5), step_ms(r, 0.9),
                           step_ms(r, 0.99), step_ms(r, 1), decode_gb_s(r), b.fraction(r));
      } else {
        out += ",,,,,,";
      }
      out += fmt::format("{:.6g},{:.6g},{:.6g},{:.6g},{}\n", b.read.bytes_per_second / 1e9, b.warm.load * 1e3,
                         b.cold.total * 1e3, b.warm.total * 1e3, b.peak_memory);
    }
  }
  return out;
}

Json to_json(const BenchResult& b, const SpeedResult& r) {
  Json out = {{"bundle", b.bundle},
              {"threads", b.threads},
              {"test", r.test.name()},
              {"tokens", r.test.tokens},
              {"depth", r.test.depth},
              {"tokens_per_second",
               {{"mean", mean(r.rates)},
                {"median", median(r.rates)},
                {"stddev", standard_deviation(r.rates)},
                {"samples", r.rates}}}};
  if (!has_steps(r)) return out;
  out["step_ms"] = {
      {"p50", step_ms(r, 0.5)}, {"p90", step_ms(r, 0.9)}, {"p99", step_ms(r, 0.99)}, {"max", step_ms(r, 1)}};
  out["p99_over_p50"] = jitter(r);
  out["step_bytes"] = r.step_bytes;
  out["gb_s"] = decode_gb_s(r);
  out["fraction_of_read_bandwidth"] = b.fraction(r);
  return out;
}

Json to_json(const BenchResult& b) {
  return {{"bundle", b.bundle},
          {"threads", b.threads},
          {"weight_file_bytes", b.weight_file_bytes},
          {"read_bandwidth_gb_s", b.read.bytes_per_second / 1e9},
          {"read_streams", b.read.streams},
          {"read_prefetch_bytes", b.read.prefetch_bytes},
          {"weights_fit_in_cache", b.in_cache},
          {"load_ms", b.warm.load * 1e3},
          {"first_token_ms", {{"cold", b.cold.total * 1e3}, {"warm", b.warm.total * 1e3}}},
          {"page_cache_kept", b.cold_kept},
          {"peak_memory_bytes", b.peak_memory},
          {"notes", notes(b)}};
}

// The headline: of the bundle named last, with the most threads, at the smallest depth.
std::string json(const std::vector<BenchResult>& results) {
  const BenchResult* headline = nullptr;
  for (const BenchResult& b : results) {
    if (headline == nullptr || b.bundle != headline->bundle || b.threads >= headline->threads) headline = &b;
  }
  const SpeedResult* decode = nullptr;
  for (const SpeedResult& r : headline->tests) {
    if (r.test.kind == SpeedTest::Kind::decode && (decode == nullptr || r.test.depth < decode->test.depth))
      decode = &r;
  }
  Json out;
  // A step that read faster than the probe shows that the probe was disturbed, or that both ran in the
  // caches: the share is then all of it. The rows keep the plain quotient.
  out["decode_fraction_of_read_bandwidth"] =
      decode ? Json(std::min(headline->fraction(*decode), 1.0)) : Json();
  out["read_bandwidth_gb_s"] = headline->read.bytes_per_second / 1e9;
  out["results"] = Json::array();
  out["bundles"] = Json::array();
  for (const BenchResult& b : results) {
    for (const SpeedResult& r : b.tests) out["results"].push_back(to_json(b, r));
    out["bundles"].push_back(to_json(b));
  }
  return out.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string bench_text(const std::vector<BenchResult>& results, const std::string& format) {
  return format == "json" ? json(results) : (format == "csv" ? csv(results) : markdown(results));
}

}  // namespace lmc
