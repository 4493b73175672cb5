// What lmc explore reads beside a graph: report.json of a bundle and, behind a zero byte, what lmc profile
// --json wrote.
#include "fuzz.h"
#include "ir/error.h"
#include "tools/graphs/explore/bundle_report.h"
#include "tools/graphs/explore/measured.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lmc;
  const std::vector<std::string> parts = fuzz::parts(data, size);
  bool both = parts.size() > 1;
  try {
    const fuzz::MemoryFile file(parts[0]);
    const BundleReport report = read_report(file.path());
    for (const auto& pass : report.passes)
      fuzz::require(pass.at("pass").is_string(), "a pass without a name");
  } catch (const Error& e) {
    both = false;
    fuzz::require(*e.what() != 0, "an error without a message");
  }
  if (parts.size() < 2) return 0;
  try {
    const fuzz::MemoryFile file(parts[1]);
    const Measured measured = read_profile(file.path());
    fuzz::require(measured.position >= 0 && measured.machine.threads >= 1, "a profile of no run");
    fuzz::accepted |= both;
  } catch (const Error& e) {
    fuzz::require(*e.what() != 0, "an error without a message");
  }
  return 0;
}
