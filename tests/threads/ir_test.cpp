// The tables that a signal handler reads: mapped files, temporary files.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "ir/error.h"
#include "ir/file_guard.h"
#include "ir/files.h"
#include "ir/temporaries.h"
#include "tests/threads/threads.h"

namespace lmc {
namespace {

TEST(FileGuard, FilesAreMappedAndCutShortByManyThreads) {
  const std::string base = testing::TempDir() + "lmc-threads-" + std::to_string(::getpid());
  std::atomic<int> refused{0};
  {
    std::vector<std::jthread> team;
    for (int t = 0; t < kThreads; ++t) {
      team.emplace_back([&, path = base + "-" + std::to_string(t)] {
        for (int i = 0; i < 20; ++i) {
          std::ofstream(path) << std::string(size_t{1} << 16, 'x');
          const MappedFile file(path);
          std::filesystem::resize_file(path, 0);
          const std::byte last = *static_cast<const volatile std::byte*>(&file.bytes().back());
          EXPECT_EQ(last, std::byte{0});
          try {
            check_mapped_files();
          } catch (const Error&) {
            ++refused;
          }
        }
        std::filesystem::remove(path);
      });
    }
  }
  EXPECT_EQ(refused, kThreads * 20);
}

TEST(Temporaries, TheListIsUsedWhileItIsRemoved) {
  const std::string base = testing::TempDir() + "lmc-not-there-" + std::to_string(::getpid());
  std::atomic<bool> stop{false};
  {
    std::vector<std::jthread> team;
    for (int t = 0; t < kThreads; ++t) {
      team.emplace_back([&, t] {
        for (int i = 0; i < 2000; ++i) {
          const Temporary one(base + std::to_string(t)), two(base + std::to_string(i));
        }
        stop = true;
      });
    }
    team.emplace_back([&] {
      while (!stop) remove_temporaries();
    });
  }
  SUCCEED();
}

}  // namespace
}  // namespace lmc
