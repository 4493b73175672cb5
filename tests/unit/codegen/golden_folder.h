// Checkpoints with what a correct model answers; LMC_GOLDEN_DIR names another folder of them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace lmc {

inline std::string golden_folder() {
  const char* other = std::getenv("LMC_GOLDEN_DIR");
  return other ? other : std::string(LMC_SOURCE_DIR) + "/tests/data/golden";
}

// All of them; under sanitizers the first of each family ("gemma3-a"), since neither emitted kernels nor LLVM
// are instrumented.
inline std::vector<std::string> golden_names() {
  std::vector<std::string> out;
  std::error_code ec;  // an unreadable folder leaves no tests, which GoogleTest reports
  for (const auto& entry : std::filesystem::directory_iterator(golden_folder(), ec)) {
    if (std::filesystem::exists(entry.path() / "golden.json")) out.push_back(entry.path().filename());
  }
  std::sort(out.begin(), out.end());
#ifdef __SANITIZE_ADDRESS__
  const auto family = [](const std::string& name) { return name.substr(0, name.find('-')); };
  const auto same = [&](const std::string& a, const std::string& b) { return family(a) == family(b); };
  if (!std::getenv("LMC_GOLDEN_DIR")) out.erase(std::unique(out.begin(), out.end(), same), out.end());
#endif
  return out;
}

// A checkpoint's name as GoogleTest's names of parameters are written.
inline std::string golden_test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

}  // namespace lmc
