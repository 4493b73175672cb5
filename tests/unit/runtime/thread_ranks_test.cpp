// Ranks as threads: rows complete on all of them, and no waiting for one that fails.
#include "runtime/thread_ranks.h"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>

#include "tests/unit/error_of.h"

namespace lmc {
namespace {

TEST(ThreadRanks, every_rank_gets_every_part) {
  ThreadRanks ranks(3);
  const std::vector<int64_t> bytes = {4, 8, 4};
  std::vector<std::vector<int32_t>> rows(3, std::vector<int32_t>(2 * 5, -1));  // 2 rows, 20 bytes apart
  std::vector<std::thread> threads;
  for (int64_t r = 0; r < 3; ++r) {
    threads.emplace_back([&, r] {
      std::vector<int32_t>& own = rows[static_cast<size_t>(r)];
      for (int32_t row : {0, 1}) {
        if (r == 0) own[row * 5] = 10 * row;
        if (r == 1) own[row * 5 + 1] = 10 * row + 1, own[row * 5 + 2] = 10 * row + 2;
        if (r == 2) own[row * 5 + 3] = 10 * row + 3;
      }
      ranks.rank(r).all_gather(reinterpret_cast<std::byte*>(own.data()), 2, {bytes, r, 20, {}});
    });
  }
  for (std::thread& t : threads) t.join();
  for (const auto& own : rows) EXPECT_EQ(own, (std::vector<int32_t>{0, 1, 2, 3, -1, 10, 11, 12, 13, -1}));
}

TEST(ThreadRanks, only_who_is_named_gets_what_one_has) {
  ThreadRanks ranks(3);
  std::vector<std::vector<int32_t>> rows = {{-1, -1}, {7, 8}, {-1, -1}};
  std::vector<std::thread> threads;
  for (int64_t r = 0; r < 3; ++r) {
    threads.emplace_back([&, r] {
      std::byte* own = reinterpret_cast<std::byte*>(rows[static_cast<size_t>(r)].data());
      ranks.rank(r).all_gather(own, 1, {{0, 8, 0}, r, 8, {2}});
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(rows, (std::vector<std::vector<int32_t>>{{-1, -1}, {7, 8}, {7, 8}}));
}

TEST(ThreadRanks, what_rank_0_says_is_heard) {
  ThreadRanks ranks(2);
  std::vector<std::byte> heard;
  std::thread other([&] { ranks.rank(1).broadcast(heard); });
  std::vector<std::byte> said{std::byte{7}, std::byte{8}};
  ranks.rank(0).broadcast(said);
  other.join();
  EXPECT_EQ(heard, said);
}

TEST(ThreadRanks, nobody_waits_for_one_that_has_failed) {
  ThreadRanks ranks(2);
  std::string error;
  std::thread waiting([&] {
    std::vector<std::byte> message;
    error = error_of([&] { ranks.rank(1).broadcast(message); });
  });
  ranks.fail("rank 0: no memory");
  waiting.join();
  EXPECT_EQ(error, "rank 0: no memory");
}

}  // namespace
}  // namespace lmc
