// lmc crossover: from which size on quantised projections are faster on this machine.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "runtime/threads.h"
#include "tools/cli/command.h"
#include "tools/cli/console.h"
#include "tools/machine/graph_program.h"
#include "tools/machine/machine.h"
#include "tools/machine/membw.h"
#include "tools/machine/statistics.h"
#include "tools/system/cache_folder.h"
#include "tools/system/files.h"

namespace lmc::crossover_command {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string output;
  std::vector<int64_t> dims;  // squares; empty: the usual sizes and some shapes of known models
  int threads = 0;
  bool json = false;
};

struct Point {
  int64_t in = 0, out = 0;
  double f32 = 0, q8_0 = 0;  // seconds of a projection, one token
  bool in_cache = false;     // all weights of the F32 run

  int64_t dim() const { return std::max(in, out); }  // what --quant-min-dim looks at
  bool quantised_wins() const { return q8_0 < f32; }
};

std::vector<std::pair<int64_t, int64_t>> shapes(const Options& o) {
  std::vector<std::pair<int64_t, int64_t>> out;
  for (int64_t d : o.dims) out.emplace_back(d, d);
  if (!out.empty()) return out;
  for (int64_t d : {64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096})
    out.emplace_back(d, d);
  for (auto [in, n] : {std::pair{768, 3072}, {1152, 6912}, {640, 2048}}) out.emplace_back(in, n);
  return out;
}

// Seconds of one step: at least 3 ms of steps in a row.
double sample(Session& session, int64_t& steps) {
  const std::vector<int32_t> token = {1};
  while (true) {
    const auto start = std::chrono::steady_clock::now();
    for (int64_t i = 0; i < steps; ++i) {
      session.reset();
      session.step(token);
    }
    const double seconds = seconds_since(start);
    if (seconds >= 0.003) return seconds / static_cast<double>(steps);
    steps *= 2;
  }
}

Point measure(int64_t in, int64_t out, int threads) {
  constexpr int kSamples = 9;
  // As many layers as a model of that size may have, but no more weights than measuring needs.
  const double pair_bytes = 8.0 * static_cast<double>(in * out);
  const auto pairs = std::clamp<int64_t>(static_cast<int64_t>(128e6 / pair_bytes), 1, 16);
  GraphProgram f32(linear_chain(in, out, pairs, LinearFormat::f32), 16, threads);
  GraphProgram q8_0(linear_chain(in, out, pairs, LinearFormat::q8_0), 16, threads);
  std::vector<double> times[2];
  int64_t steps[2] = {1, 1};
  for (int i = 0; i < kSamples; ++i) {
    stop_if_interrupted();
    times[0].push_back(sample(f32.session(), steps[0]));
    times[1].push_back(sample(q8_0.session(), steps[1]));
  }
  const auto linears = static_cast<double>(2 * pairs);
  return {in, out, median(times[0]) / linears, median(times[1]) / linears,
          f32.weight_bytes() <= static_cast<double>(last_level_cache_bytes())};
}

// The smallest dimension measured from which on Q8_0 always wins; 0 if it does not win at the largest.
int64_t choose_min_dim(std::vector<Point> points) {
  std::sort(points.begin(), points.end(), [](const Point& a, const Point& b) { return a.dim() > b.dim(); });
  int64_t chosen = 0;
  for (size_t i = 0; i < points.size();) {
    const int64_t dim = points[i].dim();
    for (; i < points.size() && points[i].dim() == dim; ++i) {
      if (!points[i].quantised_wins()) return chosen;
    }
    chosen = dim;
  }
  return chosen;
}

Json host_file(const std::vector<Point>& points, int threads) {
  Json list = Json::array();
  for (const Point& p : points) {
    list.push_back({{"in", p.in},
                    {"out", p.out},
                    {"f32_us", p.f32 * 1e6},
                    {"q8_0_us", p.q8_0 * 1e6},
                    {"faster", p.quantised_wins() ? "q8_0" : "f32"},
                    {"weights_in_cache", p.in_cache}});
  }
  const int64_t min_dim = choose_min_dim(points);
  return {{"format", 1},
          {"cpu", cpu_name()},
          {"threads", threads},
          {"linear_crossover",
           {{"tokens", 1}, {"min_dim", min_dim > 0 ? Json(min_dim) : Json()}, {"points", list}}}};
}

std::string output_path(const Options& o) {
  if (!o.output.empty()) return o.output;
  const std::string folder = cache_folder();
  if (folder.empty()) throw Error("there is no cache folder to write host.json to; pass --output FILE");
  return folder + "/host.json";
}

void print_table(const std::vector<Point>& points) {
  fmt::print("{:>6} {:>6} {:>10} {:>10} {:>9}  {}\n", "in", "out", "F32 µs", "Q8_0 µs", "Q8_0/F32", "faster");
  for (const Point& p : points) {
    fmt::print("{:>6} {:>6} {:>10.2f} {:>10.2f} {:>9.2f}  {}{}\n", p.in, p.out, p.f32 * 1e6, p.q8_0 * 1e6,
               p.q8_0 / p.f32, p.quantised_wins() ? "q8_0" : "f32", p.in_cache ? ", from the cache" : "");
  }
}

void run(const Options& o) {
  const std::string path = output_path(o);
  const int threads = o.threads > 0 ? o.threads : default_threads();
  std::vector<Point> points;
  {
    Progress progress("measuring");
    const auto all = shapes(o);
    for (auto [in, out] : all) {
      stop_if_interrupted();
      points.push_back(measure(in, out, threads));
      progress.update(static_cast<int64_t>(points.size()), static_cast<int64_t>(all.size()));
    }
  }
  const Json host = host_file(points, threads);
  write_file(path, host.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  if (o.json) {
    fmt::print("{}\n", host.dump(-1, ' ', false, Json::error_handler_t::replace));
  } else {
    print_table(points);
    if (const int64_t min_dim = choose_min_dim(points); min_dim > 0) {
      fmt::print("min_dim {}: from there on Q8_0 is always faster, with one token and {} threads\n", min_dim,
                 threads);
    } else {
      fmt::print("no min_dim: Q8_0 is not faster at the largest size\n");
    }
    fmt::print("BF16 is not measured: projections are F32 or Q8_0\n");
  }
  info("wrote {}", path);
}

const RegisterCommand kCrossover(
    {"crossover", "measure from which size on quantised projections are faster here", [](Flags& flags) {
       auto o = std::make_shared<Options>();
       flags.option("--dims", o->dims, "square sizes to measure: 64,128,256 (default: 64 to 4096)")
           .comma_separated()
           .one_value_each()
           .range(1, 16384);
       add_threads_flag(flags, o->threads);
       flags.option("-o,--output", o->output, "the host file to write (default: host.json in lmc's cache)")
           .type_name("FILE");
       flags.flag("--json", o->json, "print the host file's content as one JSON object");
       return [o] { run(*o); };
     }});

}  // namespace
}  // namespace lmc::crossover_command
