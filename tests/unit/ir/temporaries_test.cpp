#include "ir/temporaries.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace lmc {
namespace {

namespace fs = std::filesystem;

class Temporaries : public testing::Test {
 protected:
  Temporaries() {
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "many");
    std::ofstream(folder_ / "one") << "half";
    for (int i = 0; i < 300; ++i) std::ofstream(folder_ / "many" / ("part" + std::to_string(i))) << i;
  }
  ~Temporaries() override { fs::remove_all(folder_); }

  const fs::path folder_ = fs::path(testing::TempDir()) / ("lmc-temporaries-" + std::to_string(::getpid()));
};

TEST_F(Temporaries, FilesAndFoldersOfFilesAreRemoved) {
  const Temporary one((folder_ / "one").string()), many((folder_ / "many").string());
  remove_temporaries();
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(Temporaries, WhatIsNoLongerTemporaryStays) {
  { const Temporary one((folder_ / "one").string()); }
  remove_temporaries();
  EXPECT_TRUE(fs::exists(folder_ / "one"));
}

TEST_F(Temporaries, WhatALinkPointsToStays) {
  fs::create_directory_symlink(folder_ / "many", folder_ / "link");
  const Temporary link((folder_ / "link").string());
  remove_temporaries();
  EXPECT_FALSE(fs::is_symlink(folder_ / "link"));
  EXPECT_TRUE(fs::exists(folder_ / "many" / "part0"));
}

}  // namespace
}  // namespace lmc
