// Requests that come, are looked at and are cancelled by threads of their own, while another runs the steps.
#include "runtime/serving/batcher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "runtime/draft.h"
#include "runtime/random.h"
#include "tests/threads/threads.h"
#include "tests/unit/runtime/toy_model.h"

namespace lmc {
namespace {

TEST(Batcher, RequestsComeAndGoFromAllThreads) {
  const test::ToyModel model(100, 300, 32, 16);
  const auto session = model.session({.threads = 2, .scheduler = "in-order"});
  Drafter drafter(4, 1);
  Batcher batcher(*session, {.slots = 4, .queue = 240, .kv_bytes = 1 << 18, .drafter = &drafter});
  std::atomic<int> accepted{0}, ended{0};
  std::jthread steps([&] { batcher.run(); });
  {
    std::vector<std::jthread> clients;
    for (int t = 0; t < kThreads; ++t) {
      clients.emplace_back([&, t] {
        Random random(static_cast<uint64_t>(t));
        for (int i = 0; i < 60; ++i) {
          AnswerRequest request{.prompt = test::some_tokens(1 + random.below(200))};
          request.options.max_tokens = static_cast<int64_t>(1 + random.below(20));
          auto made = std::make_shared<std::vector<int32_t>>();  // by the thread that runs steps alone
          request.on_token = [made](const TokenChoice& c) {
            made->push_back(c.id);
            return true;
          };
          request.on_end = [&ended, made](const Generated& g, const std::string&) {
            EXPECT_EQ(g.ids, *made);
            ++ended;
          };
          const uint64_t id = batcher.submit(std::move(request));
          if (id != 0) ++accepted;
          if (random.below(3) == 0) batcher.cancel(id);
          EXPECT_LE(batcher.stats().running, 4);
        }
      });
    }
  }
  batcher.stop(std::chrono::seconds(60));
  EXPECT_EQ(batcher.submit({.prompt = {1}}), 0u);
  steps.join();
  EXPECT_EQ(ended, accepted);
  EXPECT_EQ(batcher.stats().waiting, 0);
}

}  // namespace
}  // namespace lmc
