// config.json of a checkpoint: the values of config: and let: of the families that it might be for.
#include "models/load/hf_config.h"

#include "fuzz.h"
#include "ir/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lmc;
  static const std::vector<Definition> families = {read_definition("builtin:gemma3.yaml"),
                                                   read_definition("builtin:gpt2.yaml"),
                                                   read_definition("builtin:phi3.yaml")};
  const fuzz::MemoryFile memory(fuzz::text(data, size));
  for (const Definition& d : families) {
    try {
      const ConfigMap config = resolve_config(d, read_hf_config(d, memory.path()));
      fuzz::accepted = true;
      fuzz::require(config.size() >= d.config.size(), "a value of config: is not there");
    } catch (const Error& e) {
      fuzz::require(*e.what() != 0, "an error without a message");
    }
  }
  return 0;
}
