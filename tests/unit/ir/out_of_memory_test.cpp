#include "ir/out_of_memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <new>
#include <thread>

#include "ir/temporaries.h"

namespace lmc {
namespace {

// AddressSanitizer's operator new ends the process itself.
#ifndef __SANITIZE_ADDRESS__

void take_too_much() {
  void* const p = ::operator new (size_t{1} << 62);
  ::operator delete(p);
}

TEST(OutOfMemoryDeathTest, ThrowsWhereMainCatchesIt) {
  const auto caught = [] {
    end_where_memory_runs_out();
    memory_may_run_out();
    try {
      take_too_much();
    } catch (const std::bad_alloc&) {
      std::_Exit(7);
    }
  };
  EXPECT_EXIT(caught(), testing::ExitedWithCode(7), "");
}

TEST(OutOfMemoryDeathTest, EndsTheProcessInCodeThatIsNotUnwoundAndRemovesTemporaries) {
  const std::string file = testing::TempDir() + "lmc-out-of-memory-" + std::to_string(::getpid());
  std::ofstream(file) << "half";
  const auto ended = [&] {
    end_where_memory_runs_out();
    memory_may_run_out();
    const Temporary listed(file);
    const NotUnwound foreign;
    take_too_much();
  };
  EXPECT_EXIT(ended(), testing::ExitedWithCode(1), "^lmc: out of memory\n$");
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST(OutOfMemoryDeathTest, EndsTheProcessOutOfAThreadThatNobodyListensTo) {
  const auto ended = [] {
    end_where_memory_runs_out();
    memory_may_run_out();
    std::thread(take_too_much).join();
  };
  EXPECT_EXIT(ended(), testing::ExitedWithCode(1), "^lmc: out of memory\n$");
}

#endif

}  // namespace
}  // namespace lmc
