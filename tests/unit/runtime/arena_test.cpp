// Memory that comes as it is touched, or at once where it is known to be needed.
#include "runtime/arena.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <vector>

#include "runtime/memory_page.h"

namespace lmc {
namespace {

// Of each page, whether it has memory.
std::vector<bool> resident(const Arena& arena) {
  std::vector<unsigned char> pages(static_cast<size_t>(whole_pages(arena.bytes()) / kMemoryPage));
  EXPECT_EQ(::mincore(arena.data(), static_cast<size_t>(arena.bytes()), pages.data()), 0);
  std::vector<bool> out;
  for (const unsigned char p : pages) out.push_back((p & 1) != 0);
  return out;
}

TEST(Arena, CommitsThePagesThatARangeLiesInAndNoOthers) {
  Arena arena(int64_t{4} << 20, "a test");
  const std::vector<bool> none = resident(arena);
  arena.commit(kMemoryPage + 100, 2 * kMemoryPage);
  std::vector<bool> three = none;
  three[1] = three[2] = three[3] = true;
  if (resident(arena) == none) GTEST_SKIP() << "this system cannot: before Linux 5.14";
  EXPECT_EQ(resident(arena), three);
  for (int64_t i = 0; i < 5 * kMemoryPage; ++i) ASSERT_EQ(arena.data()[i], std::byte{0});
}

TEST(Arena, WhatWasCommittedIsGivenBack) {
  Arena arena(int64_t{4} << 20, "a test");
  const std::vector<bool> none = resident(arena);
  arena.commit(0, arena.bytes());
  arena.data()[kMemoryPage] = std::byte{7};
  arena.give_back(0, 2 * kMemoryPage);
  EXPECT_FALSE(resident(arena)[1]);
  EXPECT_EQ(arena.data()[kMemoryPage], std::byte{0});
  arena.clear();
  EXPECT_EQ(resident(arena), none);
}

TEST(Arena, SmallOnesAreThereAlready) {
  Arena arena(100, "a test");
  arena.commit(0, 100);
  EXPECT_EQ(arena.data()[99], std::byte{0});
}

}  // namespace
}  // namespace lmc
