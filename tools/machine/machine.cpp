#include "tools/machine/machine.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "ir/error.h"
#include "runtime/launch_cost.h"
#include "tools/cli/console.h"
#include "tools/machine/machine_kernels.h"
#include "tools/system/cache_folder.h"
#include "tools/system/files.h"

namespace lmc {
namespace fs = std::filesystem;
namespace {

MachineFigures measure(int threads) {
  MachineFigures out;
  out.threads = threads;
  measure_kernels(out);
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
  const std::string folder = cache_folder();
  return folder.empty() ? "" : fmt::format("{}/machine-{}t.json", folder, threads);
}

std::optional<MachineFigures> given_machine() {
  const char* file = std::getenv("LMC_MACHINE");
  if (file == nullptr || *file == 0) return std::nullopt;
  try {
    return machine_from_json(read_file(file)).figures;
  } catch (const Error& e) {
    throw Error(fmt::format("LMC_MACHINE={}: {}; lmc machine --json prints such a file", file, e.what()));
  }
}

std::optional<MachineFigures> kept_machine(int threads) {
  const std::string path = machine_file(threads);
  std::error_code none;
  if (path.empty() || !fs::exists(path, none)) return std::nullopt;
  try {
    const KeptFigures kept = machine_from_json(read_file(path));
    const bool disturbed = kept.load > threads / 2.0 && load() < kept.load / 2;
    if (kept.cpu == cpu_name() && kept.figures.threads == threads && !disturbed) return kept.figures;
  } catch (const Error& e) {
    info("{}: {}: measuring again", path, e.what());
  }
  return std::nullopt;
}

MachineFigures machine_figures(int threads) {
  if (const auto given = given_machine()) return *given;
  if (const auto kept = kept_machine(threads)) return *kept;
  const std::string path = machine_file(threads);
  info("measuring what this machine does with {} threads{}", threads,
       path.empty() ? "" : fmt::format(", once: kept in {}", path));
  return measure_machine(threads);
}

MachineFigures measure_machine(int threads) {
  const KeptFigures now{measure(threads), cpu_name(), load()};
  const std::string path = machine_file(threads);
  if (path.empty()) return now.figures;
  try {
    write_file(path, machine_to_json(now));
  } catch (const std::exception&) {  // the next run measures again
  }
  return now.figures;
}

}  // namespace lmc
