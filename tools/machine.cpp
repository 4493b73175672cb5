#include "tools/machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "codegen/object_cache.h"
#include "codegen/target.h"
#include "ir/error.h"
#include "runtime/launch_cost.h"
#include "tools/console.h"
#include "tools/files.h"
#include "tools/membw.h"
#include "tools/profile/compute_peak.h"

namespace lmc {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

struct Figure {
  const char* name;
  double MachineFigures::*value;
};
constexpr Figure kFigures[] = {
    {"read_one", &MachineFigures::read_one},   {"read_all", &MachineFigures::read_all},
    {"flops_one", &MachineFigures::flops_one}, {"int8_one", &MachineFigures::int8_one},
    {"launch", &MachineFigures::launch},       {"step_start", &MachineFigures::step_start},
};

// Far more than the caches hold, but no more than it takes to say so.
size_t buffer_bytes() {
  constexpr int64_t kLeast = 64 << 20, kMost = 512 << 20;
  return static_cast<size_t>(std::clamp(4 * last_level_cache_bytes(), kLeast, kMost));
}

// The walk that is best or nearly so wherever it was measured; the faster of some samples.
double read_speed(const std::vector<std::byte>& memory, int threads) {
  constexpr MemoryWalk kWalk{4, 4096};
  constexpr int kSamples = 3;
  MemoryTeam team(threads);
  double best = 0;
  for (int i = 0; i < kSamples; ++i) best = std::max(best, team.read(memory, kWalk));
  return best;
}

MachineFigures measure(int threads) {
  MachineFigures out;
  out.threads = threads;
  {
    const std::vector<std::byte> memory(buffer_bytes(), std::byte{1});
    out.read_one = read_speed(memory, 1);
    out.read_all = threads > 1 ? read_speed(memory, threads) : out.read_one;
  }
  const ComputePeak compute = measure_compute_peak(1, find_target("native").name());
  out.flops_one = compute.f32_flops;
  out.int8_one = 2 * compute.int8_macs;
  if (threads > 1) {
    Workers workers(threads);
    const LaunchCost cost = measure_launch_cost(workers);
    out.launch = cost.stage;
    out.step_start = cost.step_start;
  }
  return out;
}

double load() {
  double average = 0;
  return ::getloadavg(&average, 1) == 1 ? average : 0;
}

}  // namespace

std::string cpu_name() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("model name")) return line.substr(std::min(line.size(), line.find(':') + 2));
  }
  return "unknown";
}

std::string machine_file(int threads) {
  const std::string folder = default_cache_folder();
  return folder.empty() ? "" : fmt::format("{}/machine-{}t.json", folder, threads);
}

std::string machine_to_json(const KeptFigures& kept) {
  Json out = {{"format", 1}, {"cpu", kept.cpu}, {"load", kept.load}, {"threads", kept.figures.threads}};
  for (const Figure& f : kFigures) out[f.name] = kept.figures.*f.value;
  return out.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

KeptFigures machine_from_json(const std::string& text) {
  try {
    const Json j = Json::parse(text);
    if (j.at("format") != 1) throw Error("figures in another format");
    KeptFigures out;
    out.cpu = j.at("cpu").get<std::string>();
    out.load = j.at("load").get<double>();
    out.figures.threads = j.at("threads").get<int>();
    for (const Figure& f : kFigures) {
      double& value = out.figures.*f.value;
      value = j.at(f.name).get<double>();
      if (!std::isfinite(value) || value <= 0) throw Error(fmt::format("'{}' is no positive number", f.name));
    }
    return out;
  } catch (const Json::exception& e) {
    throw Error(e.what());
  }
}

MachineFigures machine_figures(int threads) {
  const std::string path = machine_file(threads);
  std::error_code none;
  if (!path.empty() && fs::exists(path, none)) {
    try {
      const KeptFigures kept = machine_from_json(read_file(path));
      const bool disturbed = kept.load > threads / 2.0 && load() < kept.load / 2;
      if (kept.cpu == cpu_name() && kept.figures.threads == threads && !disturbed) return kept.figures;
    } catch (const Error& e) {
      info("{}: {}: measuring again", path, e.what());
    }
  }
  return measure_machine(threads);
}

MachineFigures measure_machine(int threads) {
  const KeptFigures now{measure(threads), cpu_name(), load()};
  const std::string path = machine_file(threads);
  if (path.empty()) return now.figures;
  try {
    fs::create_directories(fs::path(path).parent_path());
    write_file(path, machine_to_json(now));
  } catch (const std::exception&) {  // the next run measures again
  }
  return now.figures;
}

}  // namespace lmc
