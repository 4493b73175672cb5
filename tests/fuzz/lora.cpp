// An adapter to merge (json_and_tensors.h): adapter_config.json and adapter_model.safetensors, for a model of
// two layers.
#include "models/load/lora.h"

#include "ir/error.h"
#include "json_and_tensors.h"
#include "models/load/lora_adapter.h"
#include "models/load/model.h"
#include "tools/system/child.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lmc;
  static const TemporaryFolder folder;
  fuzz::write_json_and_tensors(data, size, folder.path() + "/adapter_config.json",
                               folder.path() + "/adapter_model.safetensors");
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
