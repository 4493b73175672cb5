// manifest.json of a bundle whose other files are empty.
#include <filesystem>

#include "fuzz.h"
#include "ir/error.h"
#include "tools/bundle/bundle.h"
#include "tools/system/child.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lmc;
  static const TemporaryFolder folder;
  for (const char* file : {"model.lmir", "plan.json", "kernels.o", "weights.safetensors"})
    if (!std::filesystem::exists(folder.path() + "/" + file)) write_file(folder.path() + "/" + file, "");
  write_file(folder.path() + "/manifest.json", std::string(fuzz::text(data, size)));
  try {
    const Bundle bundle(folder.path());
    fuzz::require(false, "an empty bundle was opened");
  } catch (const Error&) {
  }
  return 0;
}
