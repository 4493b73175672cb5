// An adapter to merge: adapter_config.json and, behind a zero byte, the header of adapter_model.safetensors,
// for a model of two layers. Its first two bytes: how much data stands behind the header.
#include "models/load/lora.h"

#include <filesystem>
#include <fstream>

#include "fuzz.h"
#include "ir/error.h"
#include "models/load/lora_adapter.h"
#include "models/load/model.h"
#include "tools/system/child.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lmc;
  static const TemporaryFolder folder;
  fuzz::Bytes input(data, size);
  const size_t bytes = input.take<uint16_t>();
  std::vector<std::string> parts = fuzz::parts(data + size - input.left(), input.left());
  parts.resize(2);
  std::ofstream(folder.path() + "/adapter_config.json", std::ios::binary) << parts[0];
  std::ofstream tensors(folder.path() + "/adapter_model.safetensors", std::ios::binary);
  const uint64_t header = parts[1].size();
  tensors.write(reinterpret_cast<const char*>(&header), 8);
  tensors << parts[1];
  for (size_t i = 0; i < bytes; ++i) tensors.put(static_cast<char>(i * 37 % 59));
  tensors.close();
  try {
    const LoraAdapter adapter(folder.path());
    for (const auto& [weight, change] : adapter.changes()) {
      fuzz::require(static_cast<int64_t>(change.left.size()) == change.rows * change.rank &&
                        static_cast<int64_t>(change.right.size()) == change.rank * change.cols,
                    "a change is not of its shape");
    }
    Model model = load_model(LMC_SOURCE_DIR "/tests/data/golden/gpt2-a", {});
    merge_adapters({folder.path()}, model);
    fuzz::accepted = true;
    for (const auto& [name, local] : model.tensor_names) {
      const std::optional<Type> type = model.weights->type(name);
      if (!type) continue;
      std::vector<float> last(static_cast<size_t>(std::min<int64_t>(type->elements(), 40)));
      model.weights->read(name, type->elements() - static_cast<int64_t>(last.size()), last);
    }
  } catch (const Error& e) {
    fuzz::require(*e.what() != 0, "an error without a message");
  }
  return 0;
}
