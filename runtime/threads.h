// How many threads to use when nobody says: the physical cores this process may run on.
#pragma once

#include <string>
#include <vector>

namespace lmc {

// Decode is bound by memory, so the second thread of a core adds nothing; a container's CPU quota counts.
int default_threads();

// The cores that the given CPUs belong to, by `sysfs`/cpu*/topology; a CPU without that counts as a core.
int physical_cores(const std::vector<int>& cpus, const std::string& sysfs = "/sys/devices/system/cpu");

// CPUs granted by the control group in `membership` (both cgroup versions) below `mount`; 0 if there is no
// limit.
int cgroup_cpus(const std::string& membership = "/proc/self/cgroup",
                const std::string& mount = "/sys/fs/cgroup");

}  // namespace lmc
