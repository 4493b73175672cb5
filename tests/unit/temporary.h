// Files that a test writes.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace lmc {

// A path in a folder of this process alone, since tests run side by side; it is gone when the process ends.
inline std::string temporary(const std::string& name) {
  static const struct Folder {
    std::filesystem::path path =
        std::filesystem::path(::testing::TempDir()) / ("lmc_test_" + std::to_string(::getpid()));
    Folder() { std::filesystem::create_directories(path); }
    ~Folder() {
      std::error_code ec;
      std::filesystem::remove_all(path, ec);
    }
  } folder;
  return (folder.path / name).string();
}

}  // namespace lmc
