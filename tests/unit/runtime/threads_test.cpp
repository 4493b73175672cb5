#include "runtime/threads.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/temporary.h"

namespace lmc {
namespace {

class ThreadsTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = temporary("threads");
    std::filesystem::remove_all(root_);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  void write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  std::string path(const std::string& p) const { return (root_ / p).string(); }

  std::filesystem::path root_;
};

TEST_F(ThreadsTest, TwoThreadsOfACoreCountOnce) {
  for (int i = 0; i < 8; ++i) {
    const std::string siblings = std::to_string(i % 4) + "," + std::to_string(i % 4 + 4);
    write("cpu" + std::to_string(i) + "/topology/core_cpus_list", siblings + "\n");
  }
  EXPECT_EQ(physical_cores({0, 1, 2, 3, 4, 5, 6, 7}, root_.string()), 4);
  EXPECT_EQ(physical_cores({0, 4}, root_.string()), 1);
  EXPECT_EQ(physical_cores({0, 5}, root_.string()), 2);
  EXPECT_EQ(physical_cores({8, 9}, root_.string()), 2) << "no topology: each its own core";
}

TEST_F(ThreadsTest, TheTightestQuotaOfTheGroupAndItsParentsHolds) {
  write("self", "0::/a/b\n");
  EXPECT_EQ(cgroup_cpus(path("self"), path("fs")), 0);
  write("fs/a/b/cpu.max", "max 100000\n");
  EXPECT_EQ(cgroup_cpus(path("self"), path("fs")), 0);
  write("fs/a/cpu.max", "350000 100000\n");
  EXPECT_EQ(cgroup_cpus(path("self"), path("fs")), 3);
  write("fs/a/b/cpu.max", "50000 100000\n");
  EXPECT_EQ(cgroup_cpus(path("self"), path("fs")), 1);
}

TEST_F(ThreadsTest, Version1GroupsAreReadToo) {
  write("self", "5:memory:/x\n4:cpu,cpuacct:/x\n");
  write("fs/cpu/x/cpu.cfs_quota_us", "200000\n");
  write("fs/cpu/x/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cgroup_cpus(path("self"), path("fs")), 2);
  write("fs/cpu/x/cpu.cfs_quota_us", "-1\n");
  EXPECT_EQ(cgroup_cpus(path("self"), path("fs")), 0);
}

TEST(Threads, TheDefaultRespectsTheAffinity) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  EXPECT_GE(default_threads(), 1);
  EXPECT_LE(default_threads(), CPU_COUNT(&before));
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++i) {
    if (CPU_ISSET(i, &before)) CPU_SET(i, &one);
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  EXPECT_EQ(default_threads(), 1);
  sched_setaffinity(0, sizeof(before), &before);
}

}  // namespace
}  // namespace lmc
