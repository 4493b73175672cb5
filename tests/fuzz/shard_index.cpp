// model.safetensors.index.json: which tensor lies in which shard, and no shard outside of the folder.
#include "models/checkpoint/shard_index.h"

#include "fuzz.h"
#include "ir/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lmc;
  const fuzz::MemoryFile memory(fuzz::text(data, size));
  try {
    const auto shards = read_shard_index(memory.path());
    fuzz::accepted = true;
    for (const auto& [tensor, shard] : shards)
      fuzz::require(!shard.empty() && shard.find('/') == std::string::npos, "a shard outside of the folder");
  } catch (const Error& e) {
    fuzz::require(*e.what() != 0, "an error without a message");
  }
  return 0;
}
