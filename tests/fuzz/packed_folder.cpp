// A folder of packed matrices, MXFP4, fp8, AWQ or GPTQ (json_and_tensors.h): config.json and
// model.safetensors. Read are the first and the last numbers of each matrix, and its blocks where it has
// such.
#include "models/load/packed_folder.h"

#include <algorithm>

#include "ir/block_format.h"
#include "ir/error.h"
#include "json_and_tensors.h"
#include "tools/system/child.h"

namespace {

void read_ends(const lmc::PackedFolder& folder, const std::string& name) {
  constexpr int64_t kSome = 40;
  const lmc::Type type = *folder.type(name);
  std::vector<float> some(static_cast<size_t>(std::min(type.elements(), kSome)));
  folder.read(name, 0, some);
  folder.read(name, type.elements() - static_cast<int64_t>(some.size()), some);
  const auto stored = folder.stored_format(name);
  if (!stored || type.elements() == 0) return;
  const int64_t rows = type.elements() / type.last();
  std::vector<std::byte> row(static_cast<size_t>(lmc::block_format(stored->format).row_bytes(type.last())));
  lmc::fuzz::require(folder.read_blocks(name, false, stored->format, rows - 1, 1, row),
                     "blocks that are said to be there cannot be read");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lmc;
  static const TemporaryFolder folder;
  fuzz::write_json_and_tensors(data, size, folder.path() + "/config.json",
                               folder.path() + "/model.safetensors");
  try {
    const PackedFolder packed(folder.path());
    for (const std::string& name : packed.names()) {
      packed.file_of(name);
      packed.shape_text(name);
      if (!packed.type(name)) continue;
      read_ends(packed, name);
      fuzz::accepted = true;
    }
  } catch (const Error& e) {
    fuzz::require(*e.what() != 0, "an error without a message");
  }
  return 0;
}
