// SPDX-License-Identifier: MIT
// The quota of a control group, read from files made for the purpose.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "os/os.hpp"
#include "support/catch.hpp"

namespace os = weft::rt::os;
namespace fs = std::filesystem;

namespace {

/// A root of a file system with the given files.
class root {
public:
    root() {
        std::string name = (fs::temp_directory_path() / "weft-cgroup-XXXXXX").string();
        REQUIRE(mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~root() { fs::remove_all(path_); }
    root(const root&) = delete;
    root& operator=(const root&) = delete;

    void write(const std::string& path, const std::string& text) const {
        const fs::path file = path_ + path;
        fs::create_directories(file.parent_path());
        std::ofstream(file) << text;
    }
    double quota() const { return os::cpu_quota(path_); }

private:
    std::string path_;
};

} // namespace

TEST_CASE("cgroup: version 2, and the least of a group and its parents") {
    const root r;
    CHECK(r.quota() == 0);
    r.write("/proc/self/cgroup", "0::/a/b\n");
    CHECK(r.quota() == 0);
    r.write("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
    CHECK(r.quota() == 0);
    r.write("/sys/fs/cgroup/a/b/cpu.max", "350000 100000\n");
    CHECK(r.quota() == 3.5);
    r.write("/sys/fs/cgroup/a/cpu.max", "150000 100000\n");
    CHECK(r.quota() == 1.5);
    r.write("/sys/fs/cgroup/a/cpu.max", "not a number\n");
    CHECK(r.quota() == 3.5);
}

TEST_CASE("cgroup: version 1") {
    const root r;
    r.write("/proc/self/cgroup", "5:memory:/x\n4:cpu,cpuacct:/x\nnonsense\n");
    r.write("/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "-1\n");
    r.write("/sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n");
    CHECK(r.quota() == 0);
    r.write("/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "400000\n");
    CHECK(r.quota() == 4);
}

TEST_CASE("cgroup: the number of Ps that comes of it") {
    CHECK(os::default_procs(8, 0) == 8);
    CHECK(os::default_procs(8, 20) == 8);
    CHECK(os::default_procs(8, 3.5) == 4);
    CHECK(os::default_procs(8, 0.5) == 2);
    CHECK(os::default_procs(1, 0.5) == 1);
}
