#include "ir/file_guard.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "ir/error.h"
#include "ir/files.h"
#include "tests/unit/temporary.h"

namespace lmc {
namespace {

// In a process of its own: that a file was cut is remembered for good.
TEST(FileGuard, what_was_cut_off_reads_as_zeros_and_is_named) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "AddressSanitizer's own handler of SIGBUS ends the process";
#endif
  const std::string path = temporary("three_pages");
  write_file(path, std::string(3 * 4096, 'x'));
  EXPECT_EXIT(
      {
        const MappedFile file(path);
        check_mapped_files();
        if (::truncate(path.c_str(), 4096) != 0) std::_Exit(1);
        const auto bytes = file.bytes();
        const bool read =
            bytes[0] == std::byte{'x'} && bytes[4096] == std::byte{0} && bytes[12287] == std::byte{0};
        try {
          check_mapped_files();
        } catch (const Error& e) {
          const bool named = std::string(e.what()) == path + ": became shorter while it was in use";
          std::_Exit(read && named ? 42 : 2);
        }
        std::_Exit(3);
      },
      testing::ExitedWithCode(42), "");
}

}  // namespace
}  // namespace lmc
