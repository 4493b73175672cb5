// A variant of types that std::variant calls never valueless, while memory runs out.
#include "ir/variant.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

namespace lmc {
namespace {

bool no_memory = false;

template <typename T>
struct ScarceAllocator : std::allocator<T> {
  template <typename U>
  struct rebind {
    using other = ScarceAllocator<U>;
  };
  T* allocate(size_t n) {
    if (no_memory) throw std::bad_alloc();
    return std::allocator<T>::allocate(n);
  }
};

using ScarceNumbers = std::vector<int, ScarceAllocator<int>>;
using ScarceValue = Variant<int64_t, ScarceNumbers>;

TEST(Variant, ACopyForWhichThereIsNoMemoryLeavesNothingToDestroy) {
  const ScarceValue value = ScarceNumbers{1, 2, 3};
  alignas(ScarceValue) std::byte place[sizeof(ScarceValue)];
  std::memset(place, 1, sizeof place);  // as memory that was used before
  no_memory = true;
  EXPECT_THROW(new (place) ScarceValue(value), std::bad_alloc);
  no_memory = false;
}

TEST(Variant, CopiesHoldWhatTheOriginalHolds) {
  const ScarceValue value = ScarceNumbers{1, 2, 3};
  ScarceValue copy = value;
  EXPECT_EQ(std::get<ScarceNumbers>(copy), std::get<ScarceNumbers>(value));
  EXPECT_EQ(copy, value);
  copy = int64_t{4};
  EXPECT_NE(copy, value);
}

}  // namespace
}  // namespace lmc
