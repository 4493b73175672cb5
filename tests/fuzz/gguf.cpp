// Any bytes as a GGUF file: an Error, or metadata, tensors, a configuration and a tokenizer that can be read.
#include "models/gguf/gguf.h"

#include <algorithm>
#include <map>

#include "fuzz.h"
#include "ir/error.h"
#include "models/language/builtin.h"
#include "models/load/gguf_import.h"
#include "models/load/model_parts.h"
#include "models/tokenizer/gguf_tokens.h"
#include "models/tokenizer/tokenizer.h"

namespace {

using namespace lmc;

void read_metadata(const GgufFile& file) {
  for (const auto& [key, value] : file.metadata()) {
    value.integer();
    value.real();
    value.integers();
    value.reals();
    value.texts();
  }
}

void read_tensors(const GgufFile& file) {
  for (const auto& [name, tensor] : file.tensors()) {
    const int64_t n = std::min<int64_t>(tensor.columns(), 300);
    std::vector<float> some(static_cast<size_t>(n));
    file.read_row(tensor, 0, 0, some);
    file.read_row(tensor, tensor.rows() - 1, tensor.columns() - n, some);
  }
}

// By architecture, which several may share.
const std::multimap<std::string, Definition>& definitions() {
  static const auto all = [] {
    std::multimap<std::string, Definition> out;
    for (const std::string& name : builtin_names()) {
      Definition d = read_definition(kBuiltin + name);
      if (!d.gguf.empty()) out.emplace(d.gguf.architectures[0], std::move(d));
    }
    return out;
  }();
  return all;
}

void read_model(const Definition& d, const std::shared_ptr<const GgufFile>& file) {
  try {
    ConfigMap config = gguf_config(d, *file);
    evaluate_let(d, config);
    const auto weights = gguf_weights(d, config, file);
    expand(
        d, config, [&](const std::string& name) { return weights->type(name); }, std::nullopt,
        choose_context(d, config, 0));
  } catch (const Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const fuzz::MemoryFile memory(fuzz::text(data, size));
  try {
    const auto file = std::make_shared<const GgufFile>(memory.path());
    fuzz::accepted = true;
    read_metadata(*file);
    read_tensors(*file);
    if (tokenizer::has_gguf_tokenizer(*file)) {
      try {
        const auto t = Tokenizer::from_gguf(*file);
        t.decode(t.encode("Hello wörld 123\n", true), false);
      } catch (const Error&) {
      }
    }
    const auto [first, last] = definitions().equal_range(file->architecture());
    std::for_each(first, last, [&](const auto& d) { read_model(d.second, file); });
  } catch (const Error&) {
  }
  return 0;
}
