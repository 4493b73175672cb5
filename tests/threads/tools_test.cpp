// Jobs, transfers, hashes that follow writers, messages, Ctrl-C, the team that walks memory.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tests/threads/threads.h"
#include "tools/bundle/trailing_hash.h"
#include "tools/cli/console.h"
#include "tools/hub/workers.h"
#include "tools/machine/membw.h"
#include "tools/system/files.h"
#include "tools/system/jobs.h"

namespace lmc {
namespace {

TEST(Jobs, EachRunsOnceAndItsResultsAreSeenBehind) {
  std::vector<int> done(1000);  // not atomic
  run_jobs(kThreads, done.size(), [&](size_t i) { ++done[i]; });
  EXPECT_EQ(std::count(done.begin(), done.end(), 1), 1000);
}

TEST(Jobs, TheFirstExceptionOfManyIsThrown) {
  for (int i = 0; i < 50; ++i)
    EXPECT_THROW(run_jobs(kThreads, 100, [](size_t) { throw std::runtime_error("no"); }), std::runtime_error);
}

TEST(Transfers, TickRunsBesideThemAndAFailureCancelsTheOthers) {
  for (int i = 0; i < 5; ++i) {
    Cancel cancel;
    std::atomic<int64_t> bytes{0};
    int64_t seen = 0;
    const auto work = [&](HttpClient&, size_t n) {
      bytes += 10;
      if (n == 5) throw std::runtime_error("no");
      while (n > 5 && !cancel.asked()) std::this_thread::yield();
    };
    EXPECT_THROW(run_workers(20, kThreads, cancel, work, [&] { seen = bytes; }), std::runtime_error);
    EXPECT_GE(bytes, seen);
  }
}

TEST(TrailingHash, FollowsWritersInAnyOrder) {
  const std::string path = testing::TempDir() + "lmc-hashed-" + std::to_string(::getpid());
  constexpr int64_t kPieces = 64, kBytes = 5000;
  std::vector<int64_t> ends;
  for (int64_t i = 1; i <= kPieces; ++i) ends.push_back(i * kBytes);
  const std::vector<std::byte> piece(kBytes, std::byte{7});
  for (int i = 0; i < 10; ++i) {
    Sha256 right;
    for (int64_t p = 0; p < kPieces; ++p) right.update(piece);
    OutputFile out(path, kPieces * kBytes);
    TrailingHash hash(path, ends);
    run_jobs(kThreads, kPieces, [&](size_t p) {
      out.write_at((kPieces - 1 - static_cast<int64_t>(p)) * kBytes, piece);
      hash.written(kPieces - 1 - p);
    });
    EXPECT_EQ(hash.finish(), right.hex());
    const TrailingHash given_up(path, ends);
  }
  std::filesystem::remove(path);
}

std::atomic<int> g_lines{8};

TEST(Console, InterruptsAreSeenByThreadsThatPrint) {
  catch_interrupts();
  for (int i = 0; i < 20; ++i) {
    std::vector<std::jthread> team;
    for (int t = 0; t < kThreads; ++t) {
      team.emplace_back([] {
        Progress progress("working");
        for (int64_t step = 0; !interrupted(); ++step) progress.update(step, step + 1);
        if (g_lines-- > 0) log_line("interrupted");
      });
    }
    ::raise(SIGINT);
    team.clear();
    EXPECT_TRUE(forget_interrupt());
  }
}

TEST(MemoryTeam, ThreadsOfItWalkTogether) {
  const std::vector<std::byte> data(size_t{8} << 20);
  std::vector<std::byte> to(data.size());
  MemoryTeam team(kThreads);
  EXPECT_GT(team.read(data, memory_walks()[0]), 0);
  EXPECT_GT(team.copy(data, to, memory_walks()[0]), 0);
}

}  // namespace
}  // namespace lmc
