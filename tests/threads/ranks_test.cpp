// Ranks as threads: what one shows the others is read by nobody while it is written.
#include <gtest/gtest.h>

#include <cstring>
#include <thread>
#include <vector>

#include "runtime/sequence_number.h"
#include "runtime/thread_ranks.h"

namespace lmc {
namespace {

TEST(ThreadRanks, exchange_rows_again_and_again) {
  constexpr int64_t kRanks = 4;
  constexpr int kRounds = 200;
  ThreadRanks ranks(kRanks);
  std::vector<std::thread> threads;
  for (int64_t r = 0; r < kRanks; ++r) {
    threads.emplace_back([&ranks, r] {
      std::vector<int64_t> row(kRanks);
      std::vector<std::byte> said;
      for (int round = 0; round < kRounds; ++round) {
        row[static_cast<size_t>(r)] = round + r;
        ranks.rank(r).all_gather(reinterpret_cast<std::byte*>(row.data()), 1, {{8, 8, 8, 8}, r, 32, {}});
        for (int64_t other = 0; other < kRanks; ++other)
          EXPECT_EQ(row[static_cast<size_t>(other)], round + other);
        if (r == 0) said.assign(1, static_cast<std::byte>(round));
        ranks.rank(r).broadcast(said);
        EXPECT_EQ(said, std::vector(1, static_cast<std::byte>(round)));
      }
    });
  }
  for (std::thread& t : threads) t.join();
}

TEST(SequenceNumber, is_nobody_elses) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int round = 0; round < 200; ++round) {
        const SequenceNumber a, b;
        EXPECT_NE(a.value(), b.value());
      }
    });
  }
  for (std::thread& t : threads) t.join();
}

}  // namespace
}  // namespace lmc
