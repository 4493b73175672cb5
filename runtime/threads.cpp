#include "runtime/threads.h"

#include <sched.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

namespace lmc {
namespace {

std::string first_line(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

std::vector<int> allowed_cpus() {
  std::vector<int> out;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    for (int i = 0; i < CPU_SETSIZE; ++i) {
      if (CPU_ISSET(i, &set)) out.push_back(i);
    }
  }
  return out;
}

// "200000 100000" or, version 1, the two numbers from two files. 0 if unlimited ("max" or -1) or unreadable.
double quota_of(const std::filesystem::path& group, bool version2) {
  double quota = 0, period = 0;
  if (version2) {
    std::ifstream(group / "cpu.max") >> quota >> period;
  } else {
    std::ifstream(group / "cpu.cfs_quota_us") >> quota;
    std::ifstream(group / "cpu.cfs_period_us") >> period;
  }
  return quota > 0 && period > 0 ? quota / period : 0;
}

}  // namespace

int default_threads() {
  const std::vector<int> cpus = allowed_cpus();
  // More CPUs than a cpu_set_t holds: the affinity call fails.
  int threads = cpus.empty() ? static_cast<int>(std::thread::hardware_concurrency()) : physical_cores(cpus);
  if (const int granted = cgroup_cpus(); granted > 0) threads = std::min(threads, granted);
  return std::max(threads, 1);
}

int physical_cores(const std::vector<int>& cpus, const std::string& sysfs) {
  std::set<std::string> cores;
  for (const int cpu : cpus) {
    const std::string name = "cpu" + std::to_string(cpu);
    const std::filesystem::path topology = std::filesystem::path(sysfs) / name / "topology";
    std::string core = first_line(topology / "core_cpus_list");
    if (core.empty()) core = first_line(topology / "thread_siblings_list");  // before Linux 5.3
    cores.insert(core.empty() ? name : core);
  }
  return static_cast<int>(cores.size());
}

int cgroup_cpus(const std::string& membership, const std::string& mount) {
  double least = 0;
  std::ifstream in(membership);
  // Lines are "0::/path" (version 2) or "4:cpu,cpuacct:/path".
  for (std::string line; std::getline(in, line);) {
    const size_t a = line.find(':');
    const size_t b = a == std::string::npos ? a : line.find(':', a + 1);
    if (b == std::string::npos) continue;
    const std::string controllers = line.substr(a + 1, b - a - 1);
    const bool version2 = controllers.empty();
    if (!version2 && ("," + controllers + ",").find(",cpu,") == std::string::npos) continue;
    const std::filesystem::path root =
        version2 ? std::filesystem::path(mount) : std::filesystem::path(mount) / "cpu";
    // Every ancestor may limit; within a container the path's upper part may not exist.
    std::filesystem::path path = std::filesystem::path(line.substr(b + 1)).relative_path();
    for (;; path = path.parent_path()) {
      const double cpus = quota_of(root / path, version2);
      if (cpus > 0) least = least > 0 ? std::min(least, cpus) : cpus;
      if (path.empty()) break;
    }
  }
  return least > 0 ? std::max(static_cast<int>(least), 1) : 0;
}

}  // namespace lmc
