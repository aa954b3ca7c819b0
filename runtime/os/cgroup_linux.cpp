// SPDX-License-Identifier: MIT
// The CPU quota of the control group that the process is in. Source: cgroups(7), the kernel's admin-guide/cgroup-v2
// (cpu.max) and scheduler/sched-bwc (cpu.cfs_quota_us).
#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "os/os.hpp"

namespace weft::rt::os {

namespace {

/// CPUs from "quota period"; 0: no limit, or nothing that can be read.
double cpus_of(const std::string& quota, double period) {
    if (quota.empty() || quota == "max" || period <= 0) return 0;
    const double q = std::strtod(quota.c_str(), nullptr);
    return q > 0 ? q / period : 0;
}

double read_v2(const std::string& folder) {
    std::ifstream file(folder + "/cpu.max");
    std::string quota;
    double period = 0;
    file >> quota >> period;
    return cpus_of(quota, period);
}

double read_v1(const std::string& folder) {
    std::ifstream quota_file(folder + "/cpu.cfs_quota_us"), period_file(folder + "/cpu.cfs_period_us");
    std::string quota;
    double period = 0;
    quota_file >> quota;
    period_file >> period;
    return cpus_of(quota, period);
}

/// The least of a group and all above it: each of them limits.
template <class Read>
double least(const std::string& mount, std::string group, Read&& read) {
    double result = 0;
    for (;;) {
        const double cpus = read(mount + group);
        if (cpus > 0 && (result == 0 || cpus < result)) result = cpus;
        const std::size_t slash = group.rfind('/');
        if (slash == std::string::npos) return result;
        group.resize(slash);
    }
}

bool lists_cpu(const std::string& controllers) {
    std::istringstream list(controllers);
    for (std::string one; std::getline(list, one, ',');)
        if (one == "cpu") return true;
    return false;
}

} // namespace

double cpu_quota(const std::string& root) {
    std::ifstream groups(root + "/proc/self/cgroup");
    double result = 0;
    // hierarchy-ID:controllers:path
    for (std::string line; std::getline(groups, line);) {
        const std::size_t first = line.find(':');
        const std::size_t second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos) continue;
        const std::string controllers = line.substr(first + 1, second - first - 1);
        std::string path = line.substr(second + 1);
        if (path == "/") path.clear();
        double cpus = 0;
        if (controllers.empty())
            cpus = least(root + "/sys/fs/cgroup", path, read_v2);
        else if (lists_cpu(controllers))
            cpus = least(root + "/sys/fs/cgroup/cpu", path, read_v1);
        if (cpus > 0 && (result == 0 || cpus < result)) result = cpus;
    }
    return result;
}

int default_procs(int cpus, double quota) noexcept {
    if (quota <= 0 || quota >= cpus) return cpus;
    return std::min(cpus, std::max(2, static_cast<int>(std::ceil(quota))));
}

} // namespace weft::rt::os
