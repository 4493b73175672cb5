// A safetensors file: header, and the first and last numbers of every tensor it claims to hold.
#include "models/checkpoint/safetensors.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <vector>

#include "fuzz.h"
#include "ir/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace lmc;
  const fuzz::MemoryFile memory(fuzz::text(data, size));
  try {
    const SafetensorsFile file(memory.path());
    fuzz::accepted = true;
    for (const auto& [name, tensor] : file.tensors()) {
      const int64_t elements =
          std::accumulate(tensor.shape.begin(), tensor.shape.end(), int64_t{1}, std::multiplies<>());
      std::vector<float> some(static_cast<size_t>(std::min<int64_t>(elements, 3)));
      try {
        file.read(name, 0, some);
        file.read(name, elements - static_cast<int64_t>(some.size()), some);
      } catch (const Error&) {  // its format is none that weights have
      }
    }
  } catch (const Error&) {
  }
  return 0;
}
