// A Hugging Face folder: config.json and, behind a zero byte, generation_config.json, beside weights that are
// as they should be. What is accepted is a graph.
#include <filesystem>
#include <fstream>

#include "fuzz.h"
#include "ir/error.h"
#include "ir/verify.h"
#include "models/load/model.h"
#include "tools/system/child.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lmc;
  namespace fs = std::filesystem;
  static const TemporaryFolder folder;
  const std::string weights = folder.path() + "/model.safetensors",
                    more = folder.path() + "/generation_config.json";
  if (!fs::exists(weights))
    fs::create_symlink(LMC_SOURCE_DIR "/tests/data/golden/gpt2-a/model.safetensors", weights);
  const std::vector<std::string> parts = fuzz::parts(data, size);
  std::ofstream(folder.path() + "/config.json", std::ios::binary) << parts[0];
  fs::remove(more);
  if (parts.size() > 1) std::ofstream(more, std::ios::binary) << parts[1];
  try {
    verify(load_model(folder.path(), {}).graph);
    fuzz::accepted = true;
  } catch (const Error& e) {
    fuzz::require(*e.what() != 0, "an error without a message");
  }
  return 0;
}
